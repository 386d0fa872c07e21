import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { soon, toyEngine, toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { Store } from '../store/open.ts'
import type { RunContext, RunEnd } from './port.ts'

const done: RunEnd = { status: 'succeeded' }

async function asks(run: RunContext): Promise<RunEnd> {
  const answer = await run.approval('plan', 'Is the plan right?')
  return { status: 'succeeded', message: `${answer.approved} ${answer.actor} ${answer.comment}` }
}

/** A step that works until it is let go. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  return {
    open: () => resolve(),
    begun: begun.promise,
    work: async () => {
      begun.resolve()
      await promise
      return 1
    },
  }
}

async function typesOf(store: Store, run: string): Promise<string[]> {
  return (await store.events(run)).map((it) => it.type)
}

it('parks until a person decides, and asks once', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, { toy: asks })
  const [yes, no] = [await toySubmit(store, 'yes'), await toySubmit(store, 'no')]
  for (const run of [yes, no])
    expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'waiting', reason: 'approval', message: 'Is the plan right?' })
  await store.signal(yes.id, 'approve', { comment: 'fine' }, 'ada')
  await store.signal(no.id, 'reject', { what: 'plan', comment: 'too big' }, 'bob')
  expect((await engine.waitFor(yes.id, soon())).message).toBe('true ada fine')
  expect((await engine.waitFor(no.id, soon())).message).toBe('false bob too big')
  expect((await store.eventsOfType(yes.id, ['approval.asked', 'approval.given'])).map((it) => it.data)).toEqual([
    { what: 'plan', message: 'Is the plan right?' },
    { what: 'plan', comment: 'fine', actor: 'ada' },
  ])
  expect(
    (await store.eventsOfType(no.id, ['approval.refused', 'step.finished'])).map((it) => it.data['summary'] ?? it.data['comment']),
  ).toEqual(['too big', 'rejected by bob: too big'])
})

it('takes a decision in a later process, after the one that asked has ended', async () => {
  const folder = temporaryFolder()
  const first = await toyStore(folder)
  const engine = await toyEngine(first, { toy: asks })
  const run = await toySubmit(first)
  await engine.waitFor(run.id, soon())
  await engine.stop()
  const second = await toyStore(folder)
  await second.signal(run.id, 'approve', {}, 'ada')
  const later = await toyEngine(second, { toy: asks })
  expect((await later.waitFor(run.id, soon())).message).toBe('true ada ')
  expect((await typesOf(second, run.id)).filter((it) => it === 'approval.asked')).toHaveLength(1)
})

it('loses no decision that races with parking', async () => {
  const folder = temporaryFolder()
  const [store, other] = [await toyStore(folder), await toyStore(folder)]
  const engine = await toyEngine(store, { toy: asks }, { concurrency: 8 })
  const runs = await Promise.all(Array.from({ length: 30 }, (_, at) => toySubmit(store, `t${at}`)))
  const decide = async (id: string, at: number) => {
    for await (const event of (at % 2 === 0 ? store : other).tail(id, 0, soon())) if (event.type === 'approval.asked') break
    await (at % 2 === 0 ? store : other).signal(id, 'approve', {}, 'ada')
  }
  await Promise.all(runs.map((it, at) => decide(it.id, at)))
  for (const run of runs) {
    let row = await engine.waitFor(run.id, soon())
    // waitFor may have seen it in the moment before its decision woke it.
    if (row.state === 'waiting') row = await engine.waitFor(run.id, soon())
    expect(row.state).toBe('succeeded')
  }
})

it('goes on at once when the decision came between the question and the parking', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const claim = await store.claim(run.id, 'n1')
  if (!claim) throw new Error('not claimed')
  await store.askApproval(claim, 'plan', 'ok?')
  await store.signal(run.id, 'approve', {}, 'ada')
  expect(await store.park(claim, { reason: 'approval', message: 'ok?', until: null, what: 'plan' })).toBe(false)
  expect(await store.park(claim, { reason: 'approval', message: 'other', until: null, what: 'land' })).toBe(true)
})

it('counts the first decision: the same again does nothing, another is refused', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, { toy: asks }, { only: { only: new Set() } })
  const run = await toySubmit(store)
  await expect(store.signal(run.id, 'approve', {}, 'ada')).rejects.toThrow(
    `Run ${run.id} is queued; approve needs a run that waits for approval.`,
  )
  await store.signal(run.id, 'approve', { what: 'plan' }, 'ada')
  await store.signal(run.id, 'approve', { what: 'plan' }, 'bob')
  await expect(store.signal(run.id, 'reject', { what: 'plan' }, 'bob')).rejects.toMatchObject({ code: 'wrong_state' })
  await store.signal(run.id, 'approve', {}, 'bob')
  await expect(store.signal(run.id, 'reject', {}, 'bob'), 'nothing else is open').rejects.toMatchObject({ code: 'wrong_state' })
  expect((await typesOf(store, run.id)).filter((it) => it === 'approval.given')).toHaveLength(1)
  engine.add(run.id)
  expect((await engine.waitFor(run.id, soon())).message).toBe('true ada ')
  await expect(store.signal(run.id, 'approve', {}, 'ada')).rejects.toThrow(
    `Run ${run.id} is succeeded; approve needs queued, running or waiting.`,
  )
})

it('takes a signal with the same id once', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  await store.signal(run.id, 'message', { text: 'hello' }, 'ada', 's1')
  await store.signal(run.id, 'message', { text: 'hello' }, 'ada', 's1')
  expect((await typesOf(store, run.id)).filter((it) => it === 'message.sent')).toHaveLength(1)
})

it('gives messages to the run once, and the same ones to each replay', async () => {
  const store = await toyStore()
  const seen: string[][] = []
  const engine = await toyEngine(
    store,
    {
      toy: async (run) => {
        seen.push(await run.messages('m1'))
        await run.approval('go', 'Go?')
        seen.push(await run.messages('m2'))
        return done
      },
    },
    { only: { only: new Set() } },
  )
  const run = await toySubmit(store)
  await store.signal(run.id, 'message', { text: 'one' }, 'ada')
  await store.signal(run.id, 'message', { text: 'two' }, 'ada')
  engine.add(run.id)
  expect((await engine.waitFor(run.id, soon())).reason).toBe('approval')
  await store.signal(run.id, 'message', { text: 'three' }, 'bob')
  expect((await store.getRun(run.id))?.state).toBe('waiting')
  await store.signal(run.id, 'approve', {}, 'ada')
  await engine.waitFor(run.id, soon())
  expect(seen).toEqual([['one', 'two'], ['one', 'two'], ['three']])
})

it('pauses before the next step and goes on when it is resumed', async () => {
  const store = await toyStore()
  const first = gate()
  let second = 0
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'a', kind: 'agent', input: null }, first.work)
      await run.step({ name: 'b', kind: 'agent', input: null }, async () => (second += 1))
      return done
    },
  })
  const run = await toySubmit(store)
  await first.begun
  await store.pause(run.id, 'ada')
  await store.pause(run.id, 'ada')
  first.open()
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'waiting', reason: 'paused' })
  expect(second).toBe(0)
  await store.resume(run.id, 'ada')
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
  expect(second).toBe(1)
  expect((await typesOf(store, run.id)).filter((it) => it === 'run.paused' || it === 'run.resumed')).toEqual(['run.paused', 'run.resumed'])
})

it('forgets a pause that was taken back before it had an effect', async () => {
  const store = await toyStore()
  const engine = await toyEngine(
    store,
    { toy: (run) => run.step({ name: 'a', kind: 'agent', input: null }, async () => 1).then(() => done) },
    {
      only: { only: new Set() },
    },
  )
  const run = await toySubmit(store)
  await store.pause(run.id, 'ada')
  await store.resume(run.id, 'ada')
  engine.add(run.id)
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
})

it('pauses a run that waits for something else as soon as it would go on', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.approval('go', 'Go?')
      await run.step({ name: 'a', kind: 'agent', input: null }, async () => 1)
      return done
    },
  })
  const run = await toySubmit(store)
  await engine.waitFor(run.id, soon())
  await store.pause(run.id, 'ada')
  await store.signal(run.id, 'approve', {}, 'ada')
  expect((await engine.waitFor(run.id, soon())).reason).toBe('paused')
  await store.resume(run.id, 'ada')
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
})

it('resume does not answer a question and does not skip a dependency', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, { toy: asks })
  const run = await toySubmit(store)
  await engine.waitFor(run.id, soon())
  const child = await toySubmit(store, 'child', { dependsOn: [run.id] })
  expect(await store.resume(run.id, 'ada')).toMatchObject({ state: 'waiting', reason: 'approval' })
  expect(await store.resume(child.id, 'ada')).toMatchObject({ state: 'waiting', reason: 'dependency' })
})

it('is still at work after a cancel for as long as its step has not let go', async () => {
  const store = await toyStore()
  const held = gate()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'a', kind: 'agent', input: null }, () => held.work())
      return done
    },
  })
  const run = await toySubmit(store)
  await held.begun
  expect(await store.isAtWork(run.id)).toBe(true)
  await store.cancel(run.id, 'ada')
  expect((await engine.waitFor(run.id, soon())).state).toBe('cancelled')
  expect(await store.isAtWork(run.id), 'its programs may still write').toBe(true)
  held.open()
  await expect.poll(() => store.isAtWork(run.id)).toBe(false)
})

it('takes an answer by the name of its question for that question only', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.approval('plan', 'Is the plan right?')
      const land = await run.approval('land', 'Shall it land?')
      return { status: 'succeeded', message: `${land.approved} ${land.actor}` }
    },
  })
  const run = await toySubmit(store)
  await engine.waitFor(run.id, soon())
  await store.signal(run.id, 'approve', { what: 'plan' }, 'ada')
  await expect.poll(async () => (await store.getRun(run.id))?.message, { timeout: 20_000 }).toBe('Shall it land?')
  await expect(store.signal(run.id, 'approve', { what: 'plan' }, 'bob')).rejects.toThrow('decided already ("plan")')
  expect(await store.getRun(run.id)).toMatchObject({ state: 'waiting', message: 'Shall it land?' })
  await store.signal(run.id, 'approve', { what: 'land' }, 'ada')
  expect((await engine.waitFor(run.id, soon())).message).toBe('true ada')
})
