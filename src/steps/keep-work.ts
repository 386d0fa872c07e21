import type { AgentResult } from '../agents/port.ts'
import { levelName } from '../core/isolation.ts'
import type { Json } from '../core/json.ts'
import { redactAll } from '../core/redact.ts'
import { addCost, addUsage } from '../core/run.ts'
import type { FileChange } from '../workspace/port.ts'
import type { GoingOn } from './going-on.ts'
import type { Job } from './job.ts'
import type { Try, Work } from './work.ts'

export interface Ended {
  provider: string
  result: AgentResult
  session: string | null
  failure: Work['failure']
  /** The next try goes on from here: the files stay as they are. */
  goesOn: GoingOn | null
}

/** What an agent has done, in a checkpoint; what it should not have done, or did not come to an end with, as an attempt. */
export async function keepWork(job: Job, { ask, role, step }: Try, ended: Ended): Promise<Work> {
  const { kit } = job
  const { provider, result, session, failure, goesOn } = ended
  const made =
    goesOn === null ? await checkpoint(job, { ask, role, step }, result) : { commit: job.checkpoint, tree: goesOn.tree, changed: false }
  const said = kit.redact(result.text)
  // Its words end up in questions, commit messages and the journal.
  const output = redactAll(result.output, kit.redact)
  step.summarize(result.status === 'completed' ? firstLine(summaryOf(output) ?? said) : `${result.status}: ${kit.redact(result.problem)}`)
  return {
    status: result.status,
    text: said,
    output,
    problem: kit.redact(result.problem),
    provider,
    commit: made.commit,
    tree: made.tree,
    changed: made.changed,
    usage: addUsage(step.spentBefore.usage, result.usage),
    cost: addCost(step.spentBefore.cost, result.cost),
    session,
    failure,
  }
}

async function checkpoint(job: Job, { ask, role, step }: Pick<Try, 'ask' | 'role' | 'step'>, result: AgentResult) {
  const { workspace, kit } = job
  const changes = await workspace.changes(job.checkpoint)
  const dirty = changes.length > 0
  const refuse = dirty && (result.status === 'failed' || role.permissions.write === 'none')
  if (refuse) {
    const kept = await workspace.keepAttempt()
    await step.emit('attempt.kept', { ref: kept.ref, commit: kept.commit, number: kept.number })
    await workspace.restore(job.checkpoint)
  }
  const trailers = [
    `Reeve-Run: ${job.run.id}`,
    `Reeve-Step: ${ask.name}`,
    `Reeve-Isolation: ${levelName(job.keeping.sandbox.report.level)}`,
  ]
  const made = await workspace.checkpoint(`${kit.redact(ask.message)}\n\n${trailers.join('\n')}`)
  if (made.changed) {
    await workspace.publish()
    step.fact({ commit: made.commit })
    await step.emit('checkpoint.made', { step: ask.name, commit: made.commit, message: ask.message, files: made.files })
    await step.emit('files.changed', { step: ask.name, commit: made.commit, ...pathsOf(changes) })
  }
  return made
}

// Whoever wants all of them has the commit.
const MOST_PATHS = 200

function pathsOf(changes: readonly FileChange[]): { added: string[]; modified: string[]; deleted: string[]; more?: number } {
  const told = changes.slice(0, MOST_PATHS)
  const paths = (status: FileChange['status']) => told.flatMap((it) => (it.status === status ? [it.path] : []))
  const more = changes.length - told.length
  return { added: paths('added'), modified: paths('modified'), deleted: paths('deleted'), ...(more === 0 ? {} : { more }) }
}

/** What a structured answer says of itself. */
function summaryOf(output: Json | null): string | null {
  if (output === null || typeof output !== 'object' || Array.isArray(output)) return null
  const { summary } = output
  return typeof summary === 'string' ? summary : null
}

export function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n')
  return line.length > 160 ? `${line.slice(0, 159)}…` : line
}
