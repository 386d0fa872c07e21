import { randomUUID } from 'node:crypto'
import { forModel } from '../../core/hostile-text.ts'
import type { MeterStatus } from '../../models/meter/port.ts'
import { LONGEST_WAIT_MS } from '../../models/retry-after.ts'
import { answerIn, checker } from '../loop/output.ts'
import type { AgentRequest, AgentResult } from '../port.ts'
import type { CliDeps } from './deps.ts'
import { limited, type Stop } from './dues.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { type CliOutcome, createTally } from './outcome.ts'
import type { Ended, Play } from './play.ts'
import type { CliEvent } from './port.ts'
import { repairPrompt } from './prompt.ts'
import { resultOf } from './result.ts'
import { turnsOf } from './stage.ts'
import { type Teller, tellEvents } from './tell.ts'
import type { TreeFindings } from './tree-guard.ts'
import type { Watch } from './watch.ts'

const REPAIR_TURNS = 1
/** Of a model, as a program names it. */
const LONGEST_NAME = 200

/** Everything that is written down of one step while it goes on: what it says, what it uses, and in the end its result. */
export interface StepRecord extends Pick<Play, 'hear' | 'next' | 'anew'> {
  session: string
  readonly ledger: Ledger
  readonly teller: Teller
  /** How a request was answered, as the proxy saw it. */
  metered: (status: MeterStatus) => void
  result: (ended: Ended, tree: TreeFindings) => AgentResult
}

export function keepRecord(deps: CliDeps, request: AgentRequest, watch: Watch, metered: boolean): StepRecord {
  const { settings, adapter, program, redaction, clock } = deps
  const { outputSchema, signal } = request
  const check = outputSchema ? checker(outputSchema) : null
  const turns = countTurns(turnsOf(request), watch)
  /** Outcomes of the prompts before this one. */
  const before: CliOutcome[] = []
  let tally = createTally()
  let model = settings.model ?? null
  /** It has done nothing that could be lost. */
  let untouched = true
  let booked = false
  let late: Stop | null = null

  const emit = (event: Parameters<AgentRequest['emit']>[0]) => request.emit(event)
  const teller = tellEvents({ program: adapter.binary, version: program.version, model, session: request.session ?? null }, redaction, emit)
  const ledger = openLedger({
    metered,
    model: () => model ?? adapter.kind,
    limits: request.limits,
    priced: deps.priced,
    emit,
    // What is known only when all is done ends nothing but a further prompt.
    stop: (stop) => (booked ? (late ??= stop) : watch.stop(stop)),
  })

  function take(said: CliEvent): void {
    const event = withoutEndlessWait(said)
    tally.add(event)
    teller.tell(event)
    watch.hear(event)
    if (event.t === 'started') {
      it.session = isSession(event.session) ? event.session : it.session
      model = event.model?.slice(0, LONGEST_NAME) || model
    }
    if (event.t === 'usage') ledger.reported(event)
    if (event.t === 'tool') turns(event.phase)
    const blamed = event.t === 'error' && event.class !== null
    if (event.t === 'text' || event.t === 'tool' || blamed) untouched = false
  }

  /** What the prompt at work has come to. */
  function outcomeOf(ended: Ended, changed: boolean): CliOutcome {
    const aborted = { status: 'aborted', class: 'aborted', problem: 'The step was aborted.' } as const
    const stopped = watch.stopped ?? (signal.aborted ? aborted : null)
    return tally.outcome({ ...ended, stopped, write: request.role.permissions.write !== 'none', changed })
  }

  /** What was told of a prompt only in all is booked when it has been answered, or not. */
  function book(outcome: CliOutcome): void {
    if (booked) return
    booked = true
    ledger.processEnded(outcome.turns)
  }

  const it: StepRecord = {
    session: '',
    ledger,
    teller,
    hear(event) {
      // The proxy has told it already.
      if (metered && event.t === 'retry' && watch.trouble !== null) return
      take(event)
    },
    metered({ class: kind, problem, retryAfterMs }) {
      if (kind === null) return watch.answered()
      take({ t: 'retry', class: kind, problem, ...(retryAfterMs === null ? {} : { delayMs: retryAfterMs }) })
    },
    next(ended) {
      const outcome = outcomeOf(ended, true)
      book(outcome)
      const can = adapter.session !== 'none' && it.session !== '' && before.length < REPAIR_TURNS
      if (check === null || outputSchema === undefined || !can || outcome.status !== 'completed') return null
      const answer = answerIn(outcome.text, check)
      if (answer.ok) return null
      if (late !== null) {
        watch.stop(late)
        return null
      }
      before.push(outcome)
      tally = createTally()
      booked = false
      return forModel(redaction.known(repairPrompt(answer.problem, outputSchema)))
    },
    anew(ended) {
      if (!untouched || ended.broken !== null || watch.signal.aborted || watch.trouble !== null) return null
      take({ t: 'notice', level: 'info', text: 'Its session of before could not be gone on with; it begins anew.' })
      tally = createTally()
      it.session = adapter.session === 'ours' ? randomUUID() : ''
      return it.session
    },
    result(ended, tree) {
      const outcome = outcomeOf(ended, tree.changed || before.some((one) => one.tools > 0))
      book(outcome)
      return resultOf({
        outcome,
        answer: check === null ? null : answerIn(outcome.text, check),
        tree,
        broken: ended.broken,
        stopped: watch.stopped,
        trouble: metered ? watch.trouble : null,
        now: clock.now(),
        shared: { ...ledger.sum(), steps: before.reduce((sum, one) => sum + one.turns, outcome.turns), session: it.session || null },
      })
    },
  }
  return it
}

/** A provider that is asked again in a hundred years is never asked again, by no run. */
function withoutEndlessWait(event: CliEvent): CliEvent {
  if (event.t === 'retry' && (event.delayMs ?? 0) > LONGEST_WAIT_MS) {
    const { delayMs: _, ...rest } = event
    return rest
  }
  if (event.t === 'error' && (event.retryAfterMs ?? 0) > LONGEST_WAIT_MS) {
    const { retryAfterMs: _, ...rest } = event
    return rest
  }
  return event
}

/**
 * Is it an id that may stand on the next command line? It comes from output that an agent may have a hand in: no option, no path, no more than
 * a name.
 */
export function isSession(id: string | undefined): id is string {
  return id !== undefined && /^[\w@][\w.:@+=~-]{0,199}$/.test(id) && !id.includes('..')
}

/** Ends a program that takes more turns than it may. Most ask for one call in a turn; several that begin before one has ended are one turn. */
function countTurns(most: number, watch: Watch): (phase: 'start' | 'end') => void {
  let turns = 0
  let running = 0
  return (phase) => {
    if (phase === 'start' && running === 0) turns += 1
    running = Math.max(0, running + (phase === 'start' ? 1 : -1))
    if (turns > most) watch.stop(limited('steps', `The limit of ${most} model steps is reached.`))
  }
}
