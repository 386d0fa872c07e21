import { createHash } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import { canonicalJson, type Json, parseJson } from '../core/json.ts'
import { addCost, addUsage, type Cost, NO_USAGE } from '../core/run.ts'
import type { RunFacts } from '../store/port.ts'
import type { Spent } from '../store/tally.ts'
import { Left, type Life, leave, stay } from './life.ts'
import { type StepHandle, type StepSpec, StepWait } from './port.ts'

// How long an aborted step may take to end its programs and say what it has spent.
export const ABORT_GRACE_MS = 10_000

export function hashOf(input: Json): string {
  return createHash('sha256').update(canonicalJson(input)).digest('hex')
}

/** Every name once per replay: a second step of the same name would silently get the first one's result. */
export function useName(life: Life, name: string): void {
  stay(life)
  if (life.used.has(name)) leave(life, { kind: 'fail', reason: 'error', message: `The workflow uses the step name "${name}" twice.` })
  life.used.add(name)
}

/** Turns whatever goes wrong around a step into the reason why the run is left. */
export async function orLeave<T>(life: Life, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn()
  } catch (error) {
    if (error instanceof Left) throw error
    if (error instanceof ReeveError && error.code === 'fenced') leave(life, { kind: 'gone' })
    return leave(life, { kind: 'fail', reason: 'error', message: problemOf(error) })
  }
}

/** The journaled result of a step, or its work, whose result is kept with its events. */
export async function runStep<T extends Json>(life: Life, spec: StepSpec, fn: (step: StepHandle) => Promise<T>): Promise<T> {
  useName(life, spec.name)
  const inputHash = hashOf(spec.input)
  const work = orLeave(life, async () => {
    const kept = await life.store.readStep(life.claim.run, spec.name, inputHash)
    if (kept) return kept.output as T
    await beforeWork(life)
    return perform(life, spec, inputHash, fn)
  })
  life.atWork.add(work)
  try {
    return await work
  } finally {
    life.atWork.delete(work)
  }
}

/** Between steps: the places where a run can be drained and paused. */
async function beforeWork(life: Life): Promise<void> {
  stay(life)
  if (life.draining()) leave(life, { kind: 'hand-back', message: 'Put back at a step boundary: the process that worked on it is ending.' })
  if (await life.store.hasPause(life.claim.run))
    leave(life, { kind: 'park', wait: { reason: 'paused', message: 'Paused by a person.', until: null } })
}

interface StepTally {
  usage: typeof NO_USAGE
  cost: Cost
  charged: number
  used: boolean
  summary: string | null
  facts: RunFacts
}

async function perform<T extends Json>(life: Life, spec: StepSpec, inputHash: string, fn: (step: StepHandle) => Promise<T>): Promise<T> {
  const before = life.starts.get(spec.name) ?? 0
  life.starts.set(spec.name, before + 1)
  const started = {
    step: spec.name,
    kind: spec.kind,
    attempt: spec.attempt ?? 1,
    request: `${life.claim.run}/${spec.name}#${before + 1}`,
    ...(spec.role === undefined ? {} : { role: spec.role }),
    ...(spec.provider === undefined ? {} : { provider: spec.provider }),
  }
  await life.store.startStep(life.claim, started)
  life.tally.add({ type: 'step.started', data: started })
  const begun = life.clock.now()
  const tally: StepTally = { usage: NO_USAGE, cost: 0, charged: 0, used: false, summary: null, facts: {} }
  const ending = () => ({
    step: spec.name,
    kind: spec.kind,
    durationMs: life.clock.now() - begun,
    ...(tally.summary === null ? {} : { summary: tally.summary }),
    ...(tally.used ? { usage: { ...tally.usage }, cost: tally.cost } : {}),
    ...(tally.used && tally.charged !== (tally.cost ?? 0) ? { charged: tally.charged } : {}),
  })

  let text: string
  try {
    stay(life)
    const result = await withGrace(
      life.clock,
      life.controller.signal,
      fn(handle(life, tally, before > 0, life.tally.spent({ step: spec.name }))),
    )
    text = JSON.stringify(result ?? null)
  } catch (error) {
    return failStep(life, spec, ending(), error)
  }
  const output = parseJson(text, `the result of step ${spec.name}`)
  const event = { ...ending(), status: statusOf(output) }
  const kept = await life.store.keepStep(life.claim, { name: spec.name, inputHash, output: text, event, facts: tally.facts })
  life.tally.add({ type: 'step.finished', data: event })
  if (!kept) leave(life, { kind: 'gone' })
  life.row.facts = { ...life.row.facts, ...tally.facts }
  return output as T
}

/** A result `{ status: 'failed' }` is a failure as a value: the step is shown as failed, the workflow decides. */
function statusOf(output: Json): 'succeeded' | 'failed' {
  const status = output !== null && typeof output === 'object' && !Array.isArray(output) ? output['status'] : undefined
  return status === 'failed' ? 'failed' : 'succeeded'
}

function handle(life: Life, tally: StepTally, repeated: boolean, spentBefore: Spent): StepHandle {
  return {
    signal: life.controller.signal,
    repeated,
    spentBefore,
    charge(usage, cost, charged = cost ?? 0) {
      tally.usage = addUsage(tally.usage, usage)
      tally.cost = addCost(tally.cost, cost)
      tally.charged += charged
      tally.used = true
    },
    summarize(text) {
      tally.summary = text.replaceAll(/\s+/g, ' ').trim()
    },
    fact(facts) {
      tally.facts = { ...tally.facts, ...facts }
    },
    emit: (type, data) => emit(life, type, data),
  }
}

/** An event of the run's own. Unwinds when the run was cancelled or lost. */
export async function emit(life: Life, type: EventType, data: RunEvent['data']): Promise<void> {
  // Before it is written: two steps at once must not both see the same money.
  life.tally.add({ type, data })
  await orLeave(life, async () => {
    const { state } = await life.store.append(life.claim.run, life.claim.epoch, type, data)
    if (state !== 'running') leave(life, { kind: 'gone' })
  })
}

/** Says how a step ended that has no result, with what it has spent, and leaves the run. */
async function failStep(life: Life, spec: StepSpec, ending: RunEvent['data'], error: unknown): Promise<never> {
  const why = whyLeft(life, error)
  const again = why.kind === 'park' || why.kind === 'hand-back' || why.kind === 'gone'
  const problem = why.kind === 'park' ? why.wait.message : why.kind === 'gone' ? 'The run was stopped.' : why.message
  const data = { ...ending, status: again ? 'interrupted' : 'failed', problem }
  await life.store.append(life.claim.run, life.claim.epoch, 'step.failed', data)
  life.tally.add({ type: 'step.failed', data })
  leave(life, why)
}

function whyLeft(life: Life, error: unknown): Life['left'] & object {
  if (life.controller.signal.aborted && life.left !== null) return life.left
  if (error instanceof Left) return error.leave
  if (error instanceof StepWait) return { kind: 'park', wait: { reason: error.reason, message: error.message, until: error.until } }
  return { kind: 'fail', reason: 'error', message: problemOf(error) }
}

/** The work, or the signal's reason when the work does not end by itself soon after the abort. */
export async function withGrace<T>(clock: Clock, signal: AbortSignal, work: Promise<T>): Promise<T> {
  const over = new AbortController()
  const gaveUp = new Promise<never>((_resolve, reject) => {
    const begin = () => {
      clock.sleep(ABORT_GRACE_MS, over.signal).then(
        () => reject(signal.reason as Error),
        () => undefined,
      )
    }
    if (signal.aborted) begin()
    signal.addEventListener('abort', begin, { once: true, signal: over.signal })
  })
  try {
    return await Promise.race([work, gaveUp])
  } finally {
    over.abort()
    work.catch(() => undefined)
  }
}
