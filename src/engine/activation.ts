import { problemOf, ReeveError } from '../core/errors.ts'
import type { FailReason } from '../core/run.ts'
import { SPENDING } from '../store/events.ts'
import type { Outcome } from '../store/port.ts'
import { interrupt, type Leave, Left, type Life, leave, stay } from './life.ts'
import type { RunContext, RunEnd, Workflow } from './port.ts'
import { emit, hashOf, orLeave, runStep, useName, withGrace } from './step.ts'

/** How an activation ended. `gone`: the run is no longer this process's, nothing was written. */
export type Released = Exclude<Outcome, 'cancelled'> | 'gone'

/**
 * Runs the workflow over the journal until the run ends, parks, or is handed back. Where a signal came between asking and parking, the
 * workflow begins again from its first line: the journal makes that cheap. Throws only when the store does.
 */
export async function activate(life: Life, workflow: Workflow): Promise<Released> {
  await recall(life)
  for (;;) {
    const end = await replay(life, workflow)
    const released = await release(life, end)
    if (released !== 'again') return released
  }
}

/** What earlier activations began, asked and spent. */
async function recall(life: Life): Promise<void> {
  const past = await life.store.eventsOfType(life.claim.run, [...SPENDING, 'approval.asked'])
  for (const event of past) {
    const { what, step } = event.data
    if (event.type === 'approval.asked' && typeof what === 'string') life.asked.add(what)
    if (event.type === 'step.started' && typeof step === 'string') life.starts.set(step, (life.starts.get(step) ?? 0) + 1)
    life.tally.add(event)
  }
  life.tally.bury()
}

async function replay(life: Life, workflow: Workflow): Promise<RunEnd | Leave> {
  // What was decided from outside while it tried to park holds.
  if (!life.controller.signal.aborted) life.left = null
  life.used.clear()
  const end = await withGrace(life.clock, life.controller.signal, begin(life, workflow)).catch((error: unknown): Leave => {
    if (error instanceof Left) return error.leave
    return { kind: 'fail', reason: 'error', message: problemOf(error) }
  })
  if ('kind' in end && end.kind === 'fail') life.controller.abort(new Left(end))
  // A run is let go only when nothing of it is at work any more.
  while (life.atWork.size > 0) await Promise.allSettled(life.atWork)
  return life.left ?? end
}

/** A workflow that throws before its first await rejects like any other. */
async function begin(life: Life, workflow: Workflow): Promise<RunEnd> {
  stay(life)
  return workflow(contextOf(life))
}

async function release(life: Life, end: RunEnd | Leave): Promise<Released | 'again'> {
  try {
    if ('status' in end) {
      await life.store.finish(life.claim, end)
      return end.status
    }
    if (end.kind === 'gone') return 'gone'
    if (end.kind === 'fail') {
      await life.store.finish(life.claim, { status: 'failed', reason: end.reason, message: end.message })
      return 'failed'
    }
    if (end.kind === 'hand-back') {
      await life.store.handBack(life.claim, end.message)
      return 'queued'
    }
    return (await life.store.park(life.claim, end.wait)) ? 'waiting' : 'again'
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'fenced') return 'gone'
    throw error
  }
}

function contextOf(life: Life): RunContext {
  return {
    id: life.claim.run,
    row: life.row,
    signal: life.controller.signal,
    tally: life.tally,
    step: (spec, fn) => runStep(life, spec, fn),
    approval: (what, message) => orLeave(life, () => approval(life, what, message)),
    messages: (name) => orLeave(life, () => messages(life, name)),
    emit: async (type, data) => {
      stay(life)
      await emit(life, type, data)
    },
  }
}

async function approval(life: Life, what: string, message: string): ReturnType<RunContext['approval']> {
  useName(life, what)
  const inputHash = hashOf({ approval: what })
  const kept = await life.store.readStep(life.claim.run, what, inputHash)
  if (kept) return kept.output as Awaited<ReturnType<RunContext['approval']>>
  const ask = !life.asked.has(what)
  life.asked.add(what)
  if (ask) await life.store.askApproval(life.claim, what, message)
  const decision = await life.store.useDecision(life.claim, what, inputHash)
  return decision ?? leave(life, { kind: 'park', wait: { reason: 'approval', message, until: null, what } })
}

async function messages(life: Life, name: string): Promise<string[]> {
  useName(life, name)
  const inputHash = hashOf({ messages: name })
  const kept = await life.store.readStep(life.claim.run, name, inputHash)
  return kept ? (kept.output as string[]) : life.store.useMessages(life.claim, name, inputHash)
}

// setTimeout's longest; more than that fires at once.
const LONGEST_MS = 2_147_483_647

/** Fails the run when it has been worked on for longer than it may; waiting does not count. Returns what ends the watch. */
export function limitTime(life: Life, activeMs: number): () => void {
  const limit = life.row.options['timeoutMs']
  if (typeof limit !== 'number') return () => undefined
  const reason: FailReason = 'timeout'
  const message = `The run was worked on for longer than its limit of ${inWords(limit)}.`
  const over = new AbortController()
  const left = Math.min(Math.max(0, limit - activeMs), LONGEST_MS)
  life.clock.sleep(left, over.signal).then(
    () => interrupt(life, { kind: 'fail', reason, message }),
    () => undefined,
  )
  return () => over.abort()
}

function inWords(ms: number): string {
  if (ms >= 60_000) return `${Math.round(ms / 6000) / 10} minutes`
  return `${Math.round(ms / 100) / 10} seconds`
}
