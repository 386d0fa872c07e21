import { expect, it } from 'vitest'
import { soon, toyEngine, toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { Json } from '../core/json.ts'
import type { Store } from '../store/open.ts'
import { type RunContext, type RunEnd, StepWait } from './port.ts'

const done: RunEnd = { status: 'succeeded' }
const usage = { inputTokens: 100, outputTokens: 10, cachedInputTokens: 0, requests: 1 }

function step<T extends Json>(run: RunContext, name: string, fn: () => T | Promise<T>, input: Json = null): Promise<T> {
  return run.step({ name, kind: 'agent', input }, async () => fn())
}

async function typesOf(store: Store, run: string): Promise<string[]> {
  return (await store.events(run)).map((it) => it.type)
}

it('runs steps in order, keeps their results, and ends with the message of the workflow', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      const a = await step(run, 'a', () => ({ list: [1, 2], text: 'ü' }))
      const b = await step(run, 'b', () => a.list.length, a)
      return { status: 'succeeded', message: `b is ${b}` }
    },
  })
  const run = await toySubmit(store)
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'succeeded', message: 'b is 2', node: null, epoch: 1 })
  expect((await store.steps(run.id)).map((it) => [it.name, it.output])).toEqual([
    ['a', { list: [1, 2], text: 'ü' }],
    ['b', 2],
  ])
  expect(await typesOf(store, run.id)).toEqual([
    'run.queued',
    'run.started',
    'step.started',
    'step.finished',
    'step.started',
    'step.finished',
    'run.finished',
  ])
})

it('says what a step is, what it used and how it ended', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'implement', kind: 'agent', input: 1, role: 'implementer', provider: 'p', attempt: 2 }, async (it) => {
        expect(it.repeated).toBe(false)
        it.charge(usage, 0.5)
        it.charge(usage, 0.25)
        it.summarize('two\n lines ')
        it.fact({ commit: 'abc' })
        await it.emit('agent.acted', { step: 'implement', tool: 'edit_file' })
        return null
      })
      return done
    },
  })
  const run = await toySubmit(store)
  const row = await engine.waitFor(run.id, soon())
  expect(row.facts).toEqual({ commit: 'abc' })
  const events = await store.events(run.id)
  expect(events.find((it) => it.type === 'step.started')?.data).toEqual({
    step: 'implement',
    kind: 'agent',
    role: 'implementer',
    provider: 'p',
    attempt: 2,
    request: `${run.id}/implement#1`,
  })
  expect(events.find((it) => it.type === 'step.finished')?.data).toMatchObject({
    step: 'implement',
    kind: 'agent',
    status: 'succeeded',
    summary: 'two lines',
    cost: 0.75,
    usage: { inputTokens: 200, outputTokens: 20, cachedInputTokens: 0, requests: 2 },
  })
})

it('gives the workflow exactly what a replay would give it', async () => {
  const store = await toyStore()
  let seen: unknown
  const engine = await toyEngine(store, {
    toy: async (run) => {
      seen = await step(run, 'a', () => ({ gone: undefined, kept: 1 }) as unknown as Json)
      return done
    },
  })
  const run = await toySubmit(store)
  await engine.waitFor(run.id, soon())
  expect(Object.keys(seen as object)).toEqual(['kept'])
})

it('shows a failure that is a value as a failed step, and goes on', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      const result = await step(run, 'gates', () => ({ status: 'failed' }))
      return { status: 'failed', reason: 'gates', message: `gates ${result.status}` }
    },
  })
  const run = await toySubmit(store)
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'failed', reason: 'gates', message: 'gates failed' })
  expect((await store.eventsOfType(run.id, ['step.finished']))[0]?.data['status']).toBe('failed')
})

it('fails the run when a step throws, with the problem on one line and what it had used', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'a', kind: 'agent', input: null }, async (it) => {
        it.charge(usage, 1.5)
        throw new Error('the disk\n  is on fire')
      })
      return done
    },
  })
  const run = await toySubmit(store)
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'failed', reason: 'error', message: 'the disk is on fire' })
  const [failed] = await store.eventsOfType(run.id, ['step.failed'])
  expect(failed?.data).toMatchObject({ step: 'a', status: 'failed', problem: 'the disk is on fire', usage, cost: 1.5 })
  expect(await store.spend(run.id)).toEqual({ usage, cost: 1.5, charged: 1.5 })
})

it('fails the run all the same when the workflow swallows the error of a step', async () => {
  const store = await toyStore()
  let later = 0
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await step(run, 'a', () => Promise.reject(new Error('first'))).catch(() => undefined)
      await step(run, 'b', () => (later += 1)).catch(() => undefined)
      return done
    },
  })
  const run = await toySubmit(store)
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'failed', reason: 'error', message: 'first' })
  expect(later).toBe(0)
})

it('fails the run when the workflow throws, is unknown, or uses a name twice', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    throws: () => {
      throw new Error('no plan')
    },
    twice: async (run) => {
      await step(run, 'a', () => 1)
      await step(run, 'a', () => 2)
      return done
    },
  })
  const message = async (workflow: string) => (await engine.waitFor((await toySubmit(store, 't', { workflow })).id, soon())).message
  expect(await message('throws')).toBe('no plan')
  expect(await message('nothing')).toBe('No workflow "nothing". Known workflows: throws, twice.')
  expect(await message('twice')).toBe('The workflow uses the step name "a" twice.')
})

it('never redoes or reuses a step whose input has changed', async () => {
  const store = await toyStore()
  let input = 1
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await step(run, 'a', () => 'old', { input })
      await run.approval('go', 'Go on?')
      return done
    },
  })
  const run = await toySubmit(store)
  await engine.waitFor(run.id, soon())
  input = 2
  await store.signal(run.id, 'approve', {}, 'ada')
  expect(await engine.waitFor(run.id, soon())).toMatchObject({
    state: 'failed',
    reason: 'error',
    message: `Step "a" of run ${run.id} was recorded with other input; the workflow or its configuration has changed.`,
  })
  expect((await store.eventsOfType(run.id, ['step.started'])).filter((it) => it.data['step'] === 'a')).toHaveLength(1)
})

it('parks a run that waits for quota and tries the step again when its time has come', async () => {
  const store = await toyStore()
  let tries = 0
  const repeated: boolean[] = []
  const before: (number | null)[] = []
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'a', kind: 'agent', input: null }, async (it) => {
        repeated.push(it.repeated)
        it.charge(usage, 1)
        before.push(it.spentBefore.cost)
        tries += 1
        if (tries < 3) throw new StepWait('quota', `Try ${tries}.`, Date.now() + 50)
        return tries
      })
      return done
    },
  })
  const run = await toySubmit(store)
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
  expect(tries).toBe(3)
  expect(repeated).toEqual([false, true, true])
  expect(before, 'a step knows what its tries have cost').toEqual([0, 1, 2])
  const waits = await store.eventsOfType(run.id, ['run.waiting'])
  expect(waits.map((it) => [it.data['reason'], it.data['message'], typeof it.data['until']])).toEqual([
    ['quota', 'Try 1.', 'number'],
    ['quota', 'Try 2.', 'number'],
  ])
  const failed = await store.eventsOfType(run.id, ['step.failed'])
  expect(failed.map((it) => it.data['status'])).toEqual(['interrupted', 'interrupted'])
  expect((await store.spend(run.id)).cost).toBe(3)
  expect((await store.steps(run.id)).map((it) => it.output)).toEqual([3])
})

it('waits without a time until it is resumed or woken', async () => {
  const store = await toyStore()
  let open = 0
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await step(run, 'a', () => {
        if (open < 2) throw new StepWait('budget', 'The budget is spent.', null)
        return 1
      })
      return done
    },
  })
  const run = await toySubmit(store)
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'waiting', reason: 'budget', message: 'The budget is spent.' })
  open = 1
  await store.signal(run.id, 'wake', {}, 'ada')
  expect((await engine.waitFor(run.id, soon())).reason).toBe('budget')
  open = 2
  await store.resume(run.id, 'ada')
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
})

it('keeps the result of a step that works beside one that parks, and ends beside one that fails', async () => {
  const store = await toyStore()
  let slow = 0
  let quota = true
  let aborted = false
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await Promise.all([
        step(run, 'quota', () => {
          if (quota) throw new StepWait('quota', 'Later.', null)
          return 1
        }),
        step(run, 'slow', async () => {
          await new Promise((resolve) => setTimeout(resolve, 60))
          return (slow += 1)
        }),
      ])
      await Promise.all([
        step(run, 'fails', () => Promise.reject(new Error('broken'))),
        run.step({ name: 'beside', kind: 'agent', input: null }, (it) => {
          it.charge(usage, 2)
          return new Promise<null>((_resolve, reject) => {
            it.signal.addEventListener('abort', () => {
              aborted = true
              reject(it.signal.reason as Error)
            })
          })
        }),
      ])
      return done
    },
  })
  const run = await toySubmit(store)
  expect((await engine.waitFor(run.id, soon())).state).toBe('waiting')
  expect((await store.steps(run.id)).map((it) => it.name)).toEqual(['slow'])
  quota = false
  await store.resume(run.id, 'ada')
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'failed', message: 'broken' })
  expect(slow).toBe(1)
  expect(aborted).toBe(true)
  expect((await store.spend(run.id)).cost).toBe(2)
})

it('fails a run that is worked on for longer than its limit, and says so', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'a', kind: 'agent', input: null }, (it) => {
        it.charge(usage, 0.5)
        return new Promise<null>((_resolve, reject) => {
          it.signal.addEventListener('abort', () => reject(it.signal.reason as Error))
        })
      })
      return done
    },
  })
  const run = await toySubmit(store, 'slow', { options: { timeoutMs: 100 } })
  const message = 'The run was worked on for longer than its limit of 0.1 seconds.'
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'failed', reason: 'timeout', message })
  expect((await store.eventsOfType(run.id, ['step.failed']))[0]?.data).toMatchObject({ status: 'failed', problem: message, cost: 0.5 })
})

it('counts time at work only: waiting for a person uses none of the limit', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.approval('go', 'Go?')
      await step(run, 'a', () => 1)
      return done
    },
  })
  const run = await toySubmit(store, 'patient', { options: { timeoutMs: 400 } })
  await engine.waitFor(run.id, soon())
  await new Promise((resolve) => setTimeout(resolve, 500))
  await store.signal(run.id, 'approve', {}, 'ada')
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
})

it('calls the hook before the workflow, and fails the run when the hook throws', async () => {
  const store = await toyStore()
  const seen: string[] = []
  const engine = await toyEngine(
    store,
    { toy: async () => done },
    {
      onActivate: (row) => {
        seen.push(row.task.id)
        if (row.task.id === 'bad') throw new Error('no workspace')
      },
    },
  )
  const [good, bad] = [await toySubmit(store, 'good'), await toySubmit(store, 'bad')]
  expect((await engine.waitFor(good.id, soon())).state).toBe('succeeded')
  expect(await engine.waitFor(bad.id, soon())).toMatchObject({ state: 'failed', message: 'no workspace' })
  expect(seen.toSorted()).toEqual(['bad', 'good'])
})

it('knows the calls of a step whose process died, and counts none of them twice', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  // A process that told of two calls and was killed; what it had reserved is nobody's any more.
  const dead = await store.claim(run.id, 'gone')
  if (!dead) throw new Error('not claimed')
  await store.startStep(dead, { step: 'a', kind: 'agent', attempt: 1 })
  await store.append(run.id, dead.epoch, 'budget.reserved', { step: 'a', usd: 5, tokens: null })
  for (const cost of [0.25, 0.5]) await store.append(run.id, dead.epoch, 'usage.reported', { step: 'a', usage, cost })
  const seen: unknown[] = []
  const engine = await toyEngine(store, {
    toy: async (it) => {
      seen.push(it.tally.spent().charged, it.tally.reserved().usd)
      await it.step({ name: 'a', kind: 'agent', input: null }, async (step) => {
        seen.push(step.spentBefore.cost, step.spentBefore.usage.requests)
        await step.emit('budget.reserved', { step: 'a', usd: 2, tokens: null })
        await step.emit('usage.reported', { step: 'a', usage, cost: 0.5 })
        seen.push(it.tally.spent().charged, it.tally.reserved().usd)
        step.charge(usage, 0.5)
        return null
      })
      seen.push(it.tally.spent().charged, it.tally.reserved().usd)
      return done
    },
  })
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
  expect(seen).toEqual([0.75, 0, 0.75, 2, 1.25, 1.5, 1.25, 0])
  expect(await store.spend(run.id)).toMatchObject({ usage: { requests: 3 }, cost: 1.25 })
})
