import type { RunRow } from './port.ts'
import type { QueueColumns } from './tables-queue.ts'

/** The columns by which the queue counts a run: from its task and its settings, once. */
export function queueColumns(task: RunRow['task'], options: RunRow['options']): QueueColumns {
  const settings = options['settings'] as { runs?: { max_concurrent?: unknown } } | undefined
  const limit = settings?.runs?.max_concurrent
  return {
    task_id: task.id,
    role: task.role,
    provider: task.provider ?? null,
    project_limit: typeof limit === 'number' ? limit : null,
    held: null,
    held_until: 0,
  }
}
