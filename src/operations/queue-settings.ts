import type { Settings } from '../core/settings.ts'
import type { QueueLimits } from '../store/queue-limits.ts'

/** What the queue keeps to, by these settings. */
export function queueLimits({ queue }: Pick<Settings, 'queue'>): QueueLimits {
  return { max: queue.max_concurrent, roles: queue.roles, providers: queue.providers }
}
