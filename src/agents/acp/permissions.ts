import type { Permissions } from '../../core/role.ts'
import { type Fields, listAt, textAt } from '../cli/line.ts'

/** What an agent is answered that asks whether it may use a tool. */
export type Answer = { outcome: { outcome: 'selected'; optionId: string } | { outcome: 'cancelled' } }

const WRITES = ['edit', 'delete', 'move']

/**
 * The role decides: what it may not do is rejected, everything else allowed, once each time. A tool of an unknown kind may do anything, and
 * another mode may allow it, so a role that may not do everything may use neither.
 */
export function answerPermission(request: Fields, permissions: Permissions): { allowed: boolean; answer: Answer } {
  const kind = textAt(request, 'toolCall.kind')
  const allowed = mayUse(kind, permissions)
  const options = listAt(request, 'options').map((it) => ({ id: textAt(it, 'optionId'), kind: textAt(it, 'kind') }))
  const wanted = allowed ? ['allow_once', 'allow_always'] : ['reject_once', 'reject_always']
  const option = wanted.map((one) => options.find((it) => it.kind === one)).find((it) => it !== undefined)
  if (option === undefined) return { allowed: false, answer: { outcome: { outcome: 'cancelled' } } }
  return { allowed, answer: { outcome: { outcome: 'selected', optionId: option.id } } }
}

function mayUse(kind: string, { write, run_commands: commands }: Permissions): boolean {
  if (['read', 'search', 'think', 'fetch'].includes(kind)) return true
  if (WRITES.includes(kind)) return write !== 'none'
  if (kind === 'execute') return commands
  return write !== 'none' && commands
}
