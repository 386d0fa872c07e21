import type { GateResult, Verdict } from '../../core/verdict.ts'
import type { Facts } from './facts.ts'
import { type Cause, ended, type Found, found, word } from './finding.ts'
import { disk } from './unfinished.ts'

/** What has ended a run, the most important first. */
export function diagnoseFinished(facts: Facts): Found[] {
  const { row, events } = facts
  const end = events.findLast((it) => it.type === 'run.finished')
  const message = ended(row.message ?? '')
  if (row.state === 'succeeded') return [found('succeeded', `It has succeeded. ${message}`.trim(), end), ...landing(facts)]
  if (row.state === 'cancelled') return [found('cancelled', message === '' ? 'It was stopped.' : message, end)]
  const main = FAILED[row.reason ?? 'error'] ?? failedByError
  return [...main(facts, message), ...broken(facts), ...disk(facts)]
}

function landing({ row }: Facts): Found[] {
  const { landed, branch = '' } = row.facts
  if ((landed ?? null) !== null || branch === '') return []
  return [found('succeeded', `Its change is on branch ${branch} and has not landed.`)]
}

const FAILED: Readonly<Partial<Record<string, (facts: Facts, message: string) => Found[]>>> = {
  gates: failedByGates,
  budget({ events }, message) {
    const reached = events.findLast((it) => it.type === 'budget.reached')
    return [found('budget', `Its budget was used up: ${message}`, reached)]
  },
  timeout({ events }, message) {
    const last = events.findLast((it) => it.type === 'step.started')
    return [found('timeout', `Its time was up in step "${word(last, 'step')}": ${message}`, last)]
  },
  crash_loop({ events }, message) {
    const deaths = events.filter((it) => it.type === 'run.interrupted').slice(-6)
    const last = events.findLast((it) => it.type === 'step.started')
    const where =
      last === undefined
        ? ''
        : ` Each time step "${word(last, 'step')}" was at work: what it starts may use up the memory, or somebody kills it.`
    return [found('crash_loop', `${message}${where}`, ...deaths)]
  },
}

function failedByGates({ row, events }: Facts, message: string): Found[] {
  const verdict = row.facts.verdict ?? null
  const reached = events.findLast((it) => it.type === 'verdict.reached')
  const rejected = events.filter((it) => it.type === 'attempt.rejected')
  const tries = rejected.length === 0 ? '' : ` ${rejected.length} ${rejected.length === 1 ? 'attempt was' : 'attempts were'} rejected.`
  const refused = events.findLast((it) => it.type === 'approval.refused')
  if (refused !== undefined && refused.seq > (reached?.seq ?? 0)) {
    const comment = word(refused, 'comment')
    return [
      found(
        'gates',
        `${word(refused, 'actor')} has rejected it${comment === '' ? '' : `: ${ended(comment)}`}`.replace(/([^.])$/, '$1.'),
        refused,
      ),
    ]
  }
  const main = found('gates', `The gates said no: ${message}${tries}`, reached, ...rejected.slice(-1))
  return [main, ...(verdict === null ? [] : gateFindings(verdict, events))]
}

// More are listed by `reeve show`.
const MOST_SHOWN = 3

function gateFindings(verdict: Verdict, events: Facts['events']): Found[] {
  const gates = verdict.gates.filter((it) => it.status === 'failed')
  const each = gates.map((gate) => {
    const event = events.findLast((it) => it.type === 'gate.finished' && word(it, 'gate') === gate.name)
    return found('gates', `Gate ${gate.name} failed (${blame(gate)})${firstFindings(gate)}`, event)
  })
  if (verdict.redProof.status !== 'refuted') return each
  const proof = events.findLast((it) => it.type === 'proof.finished')
  return [...each, found('gates', `The proof by tests failed: ${ended(verdict.redProof.reason)}`, proof)]
}

/** `2 introduced, 1 pre-existing`. */
function blame({ findings }: GateResult): string {
  const counts = new Map<string, number>()
  for (const { attribution } of findings) counts.set(attribution, (counts.get(attribution) ?? 0) + 1)
  const told = [...counts].map(
    ([attribution, count]) => `${count} ${attribution === 'none' ? 'without a base to compare with' : attribution}`,
  )
  return told.join(', ') || 'it names no place'
}

function firstFindings({ findings }: GateResult): string {
  const own = findings.filter((it) => it.attribution !== 'pre-existing').slice(0, MOST_SHOWN)
  if (own.length === 0) return '.'
  const lines = own.map(
    ({ file, line, message }) => `${file ?? ''}${line === null ? '' : `:${line}`}${file === null ? '' : ' '}${message.split('\n')[0]}`,
  )
  return `: ${ended(lines.join('; '))}`
}

function failedByError(facts: Facts, message: string): Found[] {
  const { events, dependencies } = facts
  const dead = dependencies.find((it) => it.depth === 1 && (it.status === 'failed' || it.status === 'cancelled'))
  if (dead !== undefined && facts.row.startedAt === null) {
    return [
      found(
        'dependency_failed',
        `It never began: task "${dead.task}" (run ${dead.run}), which it depends on, ${dead.status === 'failed' ? 'failed' : 'was cancelled'}.`,
      ),
    ]
  }
  const step = events.findLast((it) => it.type === 'step.failed')
  const provider = events.findLast((it) => it.type === 'provider.failed')
  const problem = `${message} ${word(step, 'problem')}`
  const cause =
    causeIn(problem) ??
    (provider !== undefined && step !== undefined && provider.seq > openedAt(events, step) ? 'provider_failed' : 'error')
  const where = step === undefined ? '' : ` in step "${word(step, 'step')}"`
  const who =
    cause === 'provider_failed'
      ? ` Provider ${word(provider, 'provider')} failed (${word(provider, 'class')}): ${ended(word(provider, 'problem'))}`
      : ''
  return [found(cause, `It failed${where}: ${message}${who}`, step, cause === 'provider_failed' ? provider : undefined)]
}

/** Number of the event with which the step began that has failed. */
function openedAt(events: Facts['events'], failed: Facts['events'][number]): number {
  return events.findLast((it) => it.type === 'step.started' && it.seq < failed.seq && word(it, 'step') === word(failed, 'step'))?.seq ?? 0
}

const SIGNS: readonly (readonly [RegExp, Cause])[] = [
  [/ENOSPC|disk is full|no space left|EDQUOT|disk quota/i, 'disk_full'],
  [/The isolation of this machine is|sandbox could not be started/i, 'isolation'],
]

function causeIn(problem: string): Cause | null {
  return SIGNS.find(([pattern]) => pattern.test(problem))?.[1] ?? null
}

/** What was held back while it was at work, and may be why. */
function broken({ events }: Facts): Found[] {
  const limits = events.filter((it) => it.type === 'limit.broken').slice(-1)
  const hosts = events.filter((it) => it.type === 'network.refused').slice(-1)
  return [
    ...limits.map((it) => {
      const text = `A command used more ${word(it, 'limit')} than it may (${word(it, 'peak')} of ${word(it, 'allowed')} ${word(it, 'unit')}) and was ended; ${word(it, 'setting')} says how much.`
      return found('resource_limit', text, it)
    }),
    ...hosts.map((it) =>
      found('network_refused', `A setup command asked for ${word(it, 'target')} and did not get it: ${ended(word(it, 'reason'))}`, it),
    ),
  ]
}
