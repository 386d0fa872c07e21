import { type RunEvent } from '../../core/event.ts'
import type { Dependency, Facts } from './facts.ts'
import { ended, type Found, found, span, word } from './finding.ts'
import { openSteps } from './steps-at-work.ts'

// No step is silent for longer without being ended: a provider's silence ends after minutes, a gate after ten by default.
const SILENT_MS = 15 * 60_000
// Below this a run fails in the middle.
const LEAST_FREE_BYTES = 200 * 1024 * 1024

/** Why a run that has not ended is not further, the most important first. */
export function diagnoseUnfinished(facts: Facts): Found[] {
  const main = { queued, running, waiting }[facts.row.state as 'queued' | 'running' | 'waiting'](facts)
  return [...main, ...crashes(facts), ...providers(facts), ...disk(facts)]
}

function queued({ row, queue, now, workers, events }: Facts): Found[] {
  const submitted = events.find((it) => it.type === 'run.queued')
  const results: Found[] = []
  if (!workers) results.push(found('no_worker', 'It is queued, and no process works on the runs of this data folder.', submitted))
  for (const pause of queue?.pauses ?? []) {
    const what = pause.scope === '*' ? 'The queue' : `The queue of ${pause.scope}`
    const how = pause.mode === 'draining' ? 'is being drained' : 'is paused'
    results.push(found('queue_paused', `${what} ${how}, by ${pause.actor} for ${span(now - pause.since)}.`, submitted))
  }
  if (row.runAt > now) {
    const at = new Date(row.runAt).toISOString()
    results.push(found('scheduled', `It does not start before ${at}, in ${span(row.runAt - now)}.`, submitted))
  }
  if (queue !== null && queue.held !== null)
    results.push(found('held', `Its turn has come, and it is not begun: ${ended(queue.held)}`, submitted))
  if (results.length > 0 || queue === null) return results
  if (queue.position !== null && queue.reason === null) return [found('next', 'It is queued and begins next.', submitted)]
  const place = queue.position === null ? 'It is queued' : `It is number ${queue.position} of ${queue.size} in the queue`
  const limited = / \d+ of \d+$/.test(queue.reason ?? '')
  return [found(limited ? 'limits' : 'turn', ended(`${place}: ${queue.reason ?? 'others come before it'}`), submitted)]
}

function running(facts: Facts): Found[] {
  const { now, row, events, last, nodeLives, pausing } = facts
  const started = events.findLast((it) => it.type === 'run.started')
  if (!nodeLives) {
    return [
      found(
        'process_gone',
        'The process that worked on it is gone. The next one that works on this data folder begins its step again.',
        started,
      ),
    ]
  }
  const silentFor = now - (last?.ts ?? row.startedAt ?? now)
  const sign = last === null ? '' : ` Last sign of life: ${last.type}, ${span(silentFor)} ago.`
  const steps = openSteps(events)
  const results = steps.map((it) => {
    const who = [word(it.started, 'role'), it.provider].filter((part) => part !== '').join(', ')
    const what = `Step "${it.name}"${who === '' ? '' : ` (${who})`} has been at work for ${span(now - it.started.ts)}.`
    return found(silentFor > SILENT_MS ? 'silent' : 'at_work', what + sign, it.started, last ?? undefined)
  })
  if (steps.length === 0)
    results.push(found(silentFor > SILENT_MS ? 'silent' : 'at_work', `It is between two steps.${sign}`, last ?? started))
  if (pausing)
    results.push(
      found(
        'pausing',
        'It pauses before its next step.',
        events.findLast((it) => it.type === 'run.paused'),
      ),
    )
  return results
}

function waiting(facts: Facts): Found[] {
  const { row, events, now, wakesAt } = facts
  const waits = events.findLast((it) => it.type === 'run.waiting')
  const since = waits === undefined ? '' : ` for ${span(now - waits.ts)}`
  const message = ended(row.message ?? '')
  const again = wakesAt === null ? '' : ` It goes on by itself in ${span(wakesAt - now)}.`
  switch (row.reason) {
    case 'approval': {
      const asked = events.findLast((it) => it.type === 'approval.asked')
      return [
        found(
          'approval',
          `It has waited${since} for a person to decide on "${word(asked, 'what')}": ${ended(word(asked, 'message'))}`,
          asked,
          waits,
        ),
      ]
    }
    case 'paused': {
      const paused = events.findLast((it) => it.type === 'run.paused')
      return [
        found(
          'paused',
          `It was paused by ${word(paused, 'actor') || 'somebody'}${since === '' ? '' : ` and has rested${since}`}.`,
          paused,
          waits,
        ),
      ]
    }
    case 'quota':
      return [
        found(
          'quota',
          `It has waited${since} for a provider: ${message}${again}`,
          events.findLast((it) => it.type === 'provider.limited'),
          waits,
        ),
      ]
    case 'budget':
      return [
        found(
          'budget',
          `It has waited${since} for more budget: ${message}${again}`,
          events.findLast((it) => it.type === 'budget.reached'),
          waits,
        ),
      ]
    case 'dependency':
      return [found('dependency', dependencyText(facts), waits)]
    default:
      return [found('paused', `It waits${since}: ${message}`, waits)]
  }
}

function dependencyText({ dependencies }: Facts): string {
  const direct = dependencies.filter((it) => it.depth === 1 && it.status !== 'succeeded')
  const names = direct.map(tell).join(', ')
  const [root] = dependencies.filter((it) => it.status === 'waiting' && it.reason !== 'dependency')
  const why = root === undefined || direct.includes(root) ? '' : ` What holds all of it up is ${tell(root)}.`
  return names === '' ? 'It waits for runs that it depends on.' : `It waits for ${names}.${why}`
}

function tell({ task, run, status, reason }: Dependency): string {
  return `task "${task}" (run ${run}, ${status}${reason === null ? '' : `: ${reason}`})`
}

function crashes({ row, events }: Facts): Found[] {
  if (row.crashes === 0) return []
  const deaths = events.filter((it) => it.type === 'run.interrupted').slice(-row.crashes)
  const times = row.crashes === 1 ? 'once' : `${row.crashes} times in a row`
  return [found('crashes', `The process that worked on it has died ${times} since its last finished step.`, ...deaths)]
}

function providers({ closed, events }: Facts): Found[] {
  return closed.map(({ provider, class: kind, problem, forMs }) => {
    const limited = kind === 'rate_limited' || kind === 'quota'
    const last = events.findLast((it): it is RunEvent => it.type.startsWith('provider.') && word(it, 'provider') === provider)
    const why = problem === '' ? kind : `${kind}: ${problem}`
    return found(
      limited ? 'provider_limited' : 'provider_failed',
      `Provider ${provider} is left alone for another ${span(forMs)} (${ended(why).replace(/\.$/, '')}).`,
      last,
    )
  })
}

export function disk({ freeBytes }: Pick<Facts, 'freeBytes'>): Found[] {
  if (freeBytes === null || freeBytes >= LEAST_FREE_BYTES) return []
  return [found('disk_full', `The disk of the data folder is full: ${Math.floor(freeBytes / 1024 / 1024)} MB are free.`)]
}
