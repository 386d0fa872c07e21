import { randomUUID } from 'node:crypto'
import { problemOf, ReeveError } from '../../core/errors.ts'
import { forModel } from '../../core/hostile-text.ts'
import type { Json } from '../../core/json.ts'
import { NO_USAGE } from '../../core/run.ts'
import type { MeterStatus } from '../../models/meter/port.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import type { ProgramResult } from '../../process/port.ts'
import { answerIn, type Checked, checker } from '../loop/output.ts'
import type { AgentRequest, AgentResult } from '../port.ts'
import type { CliDeps } from './deps.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { IDLE_SECONDS } from './metering.ts'
import { type CliOutcome, createTally, type Tally } from './outcome.ts'
import type { CliEvent } from './port.ts'
import { promptFor, repairPrompt } from './prompt.ts'
import { type Stage, setStage, turnsOf } from './stage.ts'
import { tellEvents } from './tell.ts'
import { guardTree, NOTHING_FOUND, type TreeFindings } from './tree-guard.ts'
import { limited, type Quiet, startWatch, type Watch } from './watch.ts'

const FIRST_MS = 30_000
const TOOL_MS = 15 * 60_000
/** Where nobody sees its traffic, a long thought looks like silence. */
const UNSEEN_IDLE_SECONDS = 120
const REPAIR_TURNS = 1

/** How a program came to its end. */
export interface Ended {
  code: number | null
  signal: string | null
  stderr: string
  /** It could not be started, or a limit of the sandbox ended it: the result of the process, which says why. */
  broken: ProgramResult | null
}

/** What a driver of programs is given. It starts the program, and passes on what it says. */
export interface Play {
  deps: CliDeps
  request: AgentRequest
  stage: Stage
  prompt: string
  /** Aborts when the program must end: by itself within seconds, then by force. */
  signal: AbortSignal
  hear(event: CliEvent): void
  /** A line came, whatever it said. */
  alive(): void
  /** The session as the program has named it, '' when it has not. */
  session(): string
  /** It has answered the prompt: another prompt for the same session, or null. */
  next(ended: Ended): string | null
  /** It could not go on with the session of before, and has done nothing: may it begin anew? Then the new session's id. */
  anew(ended: Ended): string | null
}

/** Runs a program until it has done what it can. Must not throw. */
export type Driver = (play: Play) => Promise<Ended>

/** One step of an agent that is a program of its own: from what it is asked to what it has done, with everything around it. */
export async function workBy(drive: Driver, deps: CliDeps, request: AgentRequest, quiet: Quiet): Promise<AgentResult> {
  try {
    return await perform(drive, deps, request, quiet)
  } catch (error) {
    return nothingDone(error, request)
  }
}

async function perform(drive: Driver, deps: CliDeps, request: AgentRequest, quiet: Quiet): Promise<AgentResult> {
  const { settings, adapter, clock } = deps
  if (request.signal.aborted) return nothingDone(request.signal.reason, request)
  const tree = await guardTree(request, deps.fileRules)
  const idle = settings.idle_timeout_seconds
  const metering = deps.startMeter !== undefined && !settings.login && adapter.api !== null
  const watch = startWatch({
    program: adapter.binary,
    clock,
    quiet: idle === undefined ? quiet : 'nothing',
    replaceable: request.replaceable ?? false,
    signal: request.signal,
    limits: {
      firstMs: Math.max(deps.patience?.firstMs ?? FIRST_MS, (idle ?? 0) * 1000),
      idleMs: (idle ?? (metering ? IDLE_SECONDS : UNSEEN_IDLE_SECONDS)) * 1000,
      toolMs: deps.patience?.toolMs ?? TOOL_MS,
      giveUpMs: settings.give_up_seconds * 1000,
      totalMs: request.limits.timeoutMs,
    },
  })
  const scribe = keepRecord(deps, request, watch, metering)
  try {
    const stage = await setStage(deps, request, {
      onTraffic: (now) => (now === 'alive' ? watch.alive() : watch.request(now)),
      onStatus: scribe.metered,
      onUsage: scribe.ledger.metered,
      onLimit: ({ limit, problem }) => watch.stop(limited(limit === 'requests' ? 'steps' : limit, problem)),
    })
    scribe.session = stage.session
    const { signal, alive } = watch
    const { hear, next, anew } = scribe
    const prompt = forModel(deps.redaction.known(promptFor(request)))
    let ended: Ended
    try {
      ended = await drive({ deps, request, stage, prompt, signal, hear, alive, session: () => scribe.session, next, anew })
    } finally {
      const { loginRenewed } = await stage.close()
      if (loginRenewed) request.emit({ type: 'noticed', level: 'warning', text: renewedSentence(adapter.binary) })
    }
    watch.end()
    // Nobody takes what an aborted step has left.
    const found = request.signal.aborted ? NOTHING_FOUND : await tree.look()
    if (found.putBack !== null) request.emit({ type: 'noticed', level: 'warning', text: found.putBack })
    return scribe.result(ended, found)
  } catch (error) {
    // What was used counts all the same.
    return { ...nothingDone(error, request), ...scribe.ledger.sum() }
  } finally {
    watch.end()
    scribe.teller.end()
  }
}

function renewedSentence(program: string): string {
  return `${program} renewed its log-in while it worked, in its own home only. If it asks you to log in again yourself, that is why.`
}

/** Everything that is written down of one step while it goes on, and the result of it. */
function keepRecord(deps: CliDeps, request: AgentRequest, watch: Watch, metered: boolean) {
  const { settings, adapter, program, redaction } = deps
  const check = request.outputSchema ? checker(request.outputSchema) : null
  const most = turnsOf(request)
  let tally: Tally = createTally()
  const before: CliOutcome[] = []
  let model = settings.model ?? null
  let turns = 0
  let running = 0
  let idle = true
  let closed = false

  const teller = tellEvents(
    { program: adapter.binary, version: program.version, model, session: request.session ?? null },
    redaction,
    (event) => request.emit(event),
  )
  const ledger: Ledger = openLedger({
    metered,
    model: () => model ?? adapter.kind,
    limits: request.limits,
    priced: deps.priced,
    emit: (event) => request.emit(event),
    stop: watch.stop,
  })
  const it = { session: '', teller, ledger, hear, metered: seen, next, anew, result }

  function hear(event: CliEvent): void {
    // The proxy has told it already.
    if (metered && event.t === 'retry' && watch.trouble !== null) return
    take(event)
  }

  function take(event: CliEvent): void {
    tally.add(event)
    teller.tell(event)
    watch.hear(event)
    if (event.t === 'started') {
      it.session = event.session || it.session
      model = event.model || model
    }
    if (event.t === 'text' || event.t === 'tool') idle = false
    if (event.t === 'usage') ledger.reported(event)
    if (event.t === 'tool') countTurns(event.phase)
  }

  /** How a request was answered, as the proxy saw it. */
  function seen({ class: kind, problem, retryAfterMs }: MeterStatus): void {
    if (kind === null) return watch.answered()
    take({ t: 'retry', class: kind, problem, ...(retryAfterMs === null ? {} : { delayMs: retryAfterMs }) })
  }

  /** Most ask for one call in a turn; several that begin before one has ended are one turn. */
  function countTurns(phase: 'start' | 'end'): void {
    if (phase === 'start' && running === 0) turns += 1
    running = Math.max(0, running + (phase === 'start' ? 1 : -1))
    if (turns > most) watch.stop(limited('steps', `The limit of ${most} model steps is reached.`))
  }

  function outcomeOf(ended: Ended, changed: boolean): CliOutcome {
    const { stopped } = watch
    const aborted = request.signal.aborted && stopped === null
    const stop = aborted ? { status: 'aborted' as const, class: 'aborted' as const, problem: 'The step was aborted.' } : stopped
    return tally.outcome({ ...ended, stopped: stop, write: request.role.permissions.write !== 'none', changed })
  }

  function next(ended: Ended): string | null {
    const outcome = outcomeOf(ended, true)
    close(outcome)
    if (check === null || outcome.status !== 'completed' || before.length >= REPAIR_TURNS || adapter.session === 'none') return null
    if (it.session === '') return null
    const answer = answerIn(outcome.text, check)
    if (answer.ok || request.outputSchema === undefined) return null
    before.push(outcome)
    tally = createTally()
    closed = false
    return forModel(redaction.known(repairPrompt(answer.problem, request.outputSchema)))
  }

  function anew(ended: Ended): string | null {
    if (!idle || ended.broken !== null || watch.signal.aborted || watch.trouble !== null) return null
    take({ t: 'notice', level: 'info', text: 'Its session of before could not be gone on with; it begins anew.' })
    tally = createTally()
    it.session = adapter.session === 'ours' ? randomUUID() : ''
    return it.session
  }

  /** Programs have two limits of their own that they are given. */
  function limitOf({ problem }: CliOutcome): NonNullable<AgentResult['limit']> {
    return watch.stopped?.limit ?? (/budget|usd|\$|dollar/i.test(problem) ? 'usd' : 'steps')
  }

  /** A prompt has been answered, or not: what was told of it only in all is booked. */
  function close(outcome: CliOutcome): void {
    if (!closed) ledger.processEnded(outcome.turns)
    closed = true
  }

  function result(ended: Ended, found: TreeFindings): AgentResult {
    const worked = found.changed || before.some((one) => one.tools > 0)
    const outcome = outcomeOf(ended, worked)
    close(outcome)
    const answer: Checked | null = check === null ? null : answerIn(outcome.text, check)
    const steps = before.reduce((sum, one) => sum + one.turns, outcome.turns)
    const shared = { text: outcome.text, output: null, ...ledger.sum(), steps, session: it.session || null }
    const failed = (kind: ProviderErrorClass, problem: string, retryAt: number | null = null): AgentResult => ({
      ...shared,
      status: 'failed',
      problem,
      class: kind,
      retryAt,
    })
    if (found.broke !== null && outcome.status !== 'aborted') return failed('bad_output', found.broke)
    if (ended.broken !== null && watch.stopped === null && outcome.status !== 'aborted') return brokenResult(ended.broken, shared)
    if (outcome.status === 'failed') {
      // What was seen on the way to its provider is surer than what it says.
      if (metered && watch.trouble !== null && watch.stopped === null) return failed(watch.trouble.class, outcome.problem, watch.retryAt())
      const retryAt = watch.stopped?.retryAt ?? (outcome.retryAfterMs === null ? null : deps.clock.now() + outcome.retryAfterMs)
      return failed(outcome.class ?? 'crashed', outcome.problem, retryAt)
    }
    if (outcome.status !== 'completed') {
      const { status, problem, class: kind } = outcome
      return { ...shared, status, problem, class: kind, retryAt: null, ...(status === 'limited' && { limit: limitOf(outcome) }) }
    }
    if (found.tooMany !== null) return { ...shared, status: 'limited', problem: found.tooMany, class: null, retryAt: null }
    if (answer !== null && !answer.ok) return failed('bad_output', `The answer does not have the wanted shape: ${answer.problem}.`)
    return { ...shared, status: 'completed', output: answer?.value ?? null, problem: '', class: null, retryAt: null }
  }
  return it
}

type Shared = Pick<AgentResult, 'text' | 'output' | 'usage' | 'cost' | 'steps' | 'session'>

/** The program never got to work, or a limit of the run was broken. */
function brokenResult({ ended, problem }: ProgramResult, shared: Shared & { output: Json | null }): AgentResult {
  if (ended === 'limit' || ended === 'flooded') return { ...shared, status: 'limited', problem, class: null, retryAt: null }
  return { ...shared, status: 'failed', problem, class: ended === 'not_found' ? 'config' : 'crashed', retryAt: null }
}

function nothingDone(error: unknown, request: AgentRequest): AgentResult {
  const nothing = { text: '', output: null, usage: NO_USAGE, cost: 0, steps: 0, retryAt: null }
  if (request.signal.aborted) return { ...nothing, status: 'aborted', problem: 'The step was aborted.', class: 'aborted' }
  const config = error instanceof ReeveError && error.code !== 'sandbox_failed'
  return { ...nothing, status: 'failed', problem: problemOf(error), class: config ? 'config' : 'crashed' }
}
