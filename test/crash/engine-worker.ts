/**
 * A process that works on toy runs, to be killed: node engine-worker.ts <folder> <work|submit|hold>
 *   work    works on all runs until none is left, answering questions itself
 *   submit  submits one run with a client key of its own, works on it alone
 *   hold    begins one run and stays in its first step
 * Each effect of a step is a line of effects.log: the outside world, which no transaction can take back.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { isFinished } from '../../src/core/run.ts'
import { createEngine, type Engine } from '../../src/engine/engine.ts'
import { type RunContext, type RunEnd, StepWait } from '../../src/engine/port.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { toyTask } from '../support/toy-task.ts'

const [folder = '', mode = 'work', name = 'one'] = process.argv.slice(2)
const usage = { inputTokens: 10, outputTokens: 1, cachedInputTokens: 0, requests: 1 }

function effect(run: string, step: string): void {
  appendFileSync(join(folder, 'effects.log'), `${JSON.stringify({ run, step, pid: process.pid })}\n`)
}

async function work(run: RunContext, step: string): Promise<void> {
  await run.step({ name: step, kind: 'agent', input: { step } }, async (it) => {
    await it.emit('agent.said', { step, text: 'working' })
    effect(run.id, step)
    it.charge(usage, 0.01)
    await new Promise((resolve) => setTimeout(resolve, 5))
    return { step }
  })
}

async function toy(run: RunContext): Promise<RunEnd> {
  for (const step of ['s1', 's2', 's3']) await work(run, step)
  const answer = await run.approval('plan', 'Go on?')
  if (!answer.approved) return { status: 'failed', reason: 'error', message: 'refused' }
  for (const step of ['s4', 's5']) await work(run, step)
  await run.step({ name: 'quota', kind: 'agent', input: null }, async (it) => {
    if (!it.repeated) throw new StepWait('quota', 'Come back later.', Date.now() + 10)
    return null
  })
  await work(run, 's6')
  return { status: 'succeeded' }
}

async function hold(run: RunContext): Promise<RunEnd> {
  await run.step({ name: 'held', kind: 'agent', input: null }, (it) => {
    effect(run.id, 'held')
    return new Promise<null>((_resolve, reject) => {
      it.signal.addEventListener('abort', () => reject(it.signal.reason as Error))
    })
  })
  return { status: 'succeeded' }
}

async function see(engine: Engine, store: Store, id: string): Promise<void> {
  for (;;) {
    const row = await engine.waitFor(id, AbortSignal.timeout(60_000))
    if (isFinished(row.state)) return
    if (row.reason === 'approval') await store.signal(id, 'approve', { what: 'plan' }, 'ada', `approve-${id}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const store = await openStore(folder)
const engine = createEngine({ store, workflows: { toy, hold }, concurrency: 4 })
const only = new Set<string>()
await engine.start(mode === 'submit' ? { only } : {})
if (mode === 'submit' || mode === 'hold') {
  const workflow = mode === 'hold' ? 'hold' : 'toy'
  const { row } = await store.submit({ task: toyTask(name), project: '/p', workflow, options: {}, clientKey: name })
  only.add(row.id)
  engine.add(row.id)
}
const runs = mode === 'submit' ? [...only] : (await store.listRuns({ limit: 1000 })).map((it) => it.id)
await Promise.all(runs.map((id) => see(engine, store, id)))
await engine.stop()
await store.close()
