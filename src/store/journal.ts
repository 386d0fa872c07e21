import { crashAt } from '../core/crash.ts'
import { ReeveError } from '../core/errors.ts'
import type { RunEvent } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import { type Json, parseJson } from '../core/json.ts'
import type { Claim } from './lifecycle.ts'
import type { RunFacts } from './port.ts'
import { mergeFacts } from './runs.ts'
import { take, textOf, undecided, untaken } from './signals.ts'
import { append, type Context, fence, type Tx, write } from './tx.ts'

export interface JournaledStep {
  name: string
  inputHash: string
  output: Json
}

/** The kept results of a run's steps. */
export async function steps(ctx: Context, run: RunId): Promise<JournaledStep[]> {
  const rows = await ctx.db.selectFrom('steps').selectAll().where('run', '=', run).orderBy('name').execute()
  return rows.map((it) => ({ name: it.name, inputHash: it.input_hash, output: parseJson(it.output, `step ${it.name} of run ${run}`) }))
}

/** The kept result of one step, null when there is none. Throws `replay_mismatch` when it was made from other input. */
export async function readStep(ctx: Context, run: RunId, name: string, inputHash: string): Promise<{ output: Json } | null> {
  const row = await ctx.db.selectFrom('steps').selectAll().where('run', '=', run).where('name', '=', name).executeTakeFirst()
  if (!row) return null
  if (row.input_hash !== inputHash) throw new ReeveError('replay_mismatch', { run, step: name })
  return { output: parseJson(row.output, `step ${name} of run ${run}`) }
}

/** Makes known that a step begins, before it costs anything. Throws `fenced` also when the run was cancelled. */
export async function startStep(ctx: Context, by: Claim, data: RunEvent['data']): Promise<void> {
  await write(ctx, async (tx) => {
    const { state } = await append(tx, by.run, by.epoch, 'step.started', data)
    if (state !== 'running') throw new ReeveError('fenced', { run: by.run })
  })
  crashAt('after-step-started', textOf(data['step']))
}

export interface StepResult {
  name: string
  inputHash: string
  /** The result as JSON. */
  output: string
  event: RunEvent['data']
  facts: RunFacts
}

/**
 * Keeps a step's result with its event and facts, all or nothing. Where the run was cancelled meanwhile, only the event is written (it holds
 * the cost) and the answer is false.
 */
export async function keepStep(ctx: Context, by: Claim, result: StepResult): Promise<boolean> {
  crashAt('after-effect-before-journal', result.name)
  const kept = await write(ctx, async (tx) => {
    const { state } = await append(tx, by.run, by.epoch, 'step.finished', result.event)
    if (state !== 'running') return false
    await insertStep(tx, by.run, result.name, result.inputHash, result.output)
    await mergeFacts(tx, by.run, result.facts)
    return true
  })
  if (kept) crashAt('after-journal', result.name)
  return kept
}

/** A finished step is progress: deaths count from here on. */
async function insertStep(tx: Tx, run: RunId, name: string, inputHash: string, output: string): Promise<void> {
  await tx.t.insertInto('steps').values({ run, name, input_hash: inputHash, output }).execute()
  await tx.t.updateTable('runs').set({ crashes: 0 }).where('id', '=', run).where('crashes', '>', 0).execute()
}

export type Decision = { approved: boolean; actor: string; comment: string }

/** Uses the decision about `what`, when there is one: journal, event and taken signal in one transaction. */
export async function useDecision(ctx: Context, by: Claim, what: string, inputHash: string): Promise<Decision | null> {
  const decision = await write(ctx, async (tx) => {
    const state = await fence(tx, by.run, by.epoch)
    if (state !== 'running') throw new ReeveError('fenced', { run: by.run })
    const signal = await undecided(tx, by.run, what)
    if (!signal) return null
    const decision: Decision = {
      approved: signal.kind === 'approve',
      actor: textOf(signal.data['actor']),
      comment: textOf(signal.data['comment']),
    }
    const status = decision.approved ? 'succeeded' : 'failed'
    const summary = `${decision.approved ? 'approved' : 'rejected'} by ${decision.actor}${decision.comment === '' ? '' : `: ${decision.comment}`}`
    await append(tx, by.run, by.epoch, 'step.finished', { step: what, kind: 'approval', status, summary, durationMs: 0 })
    await insertStep(tx, by.run, what, inputHash, JSON.stringify(decision))
    await take(tx, [signal])
    return decision
  })
  if (decision) crashAt('after-journal', what)
  return decision
}

/** Uses the messages sent so far and keeps them under a name; the same name gives the same messages for ever. */
export async function useMessages(ctx: Context, by: Claim, name: string, inputHash: string): Promise<string[]> {
  return write(ctx, async (tx) => {
    const state = await fence(tx, by.run, by.epoch)
    if (state !== 'running') throw new ReeveError('fenced', { run: by.run })
    const sent = await untaken(tx, by.run, ['message'])
    const texts = sent.map((it) => textOf(it.data['text']))
    await insertStep(tx, by.run, name, inputHash, JSON.stringify(texts))
    await take(tx, sent)
    return texts
  })
}
