import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import type { Store } from '../store/open.ts'
import { ALL_PROJECTS } from '../store/queue.ts'
import { type Context, projectOf } from './context.ts'
import { operation } from './operation.ts'
import { pauseSchema } from './queue-list.ts'
import { projectInput } from './shapes.ts'

const scopeInput = {
  project: projectInput,
  all: z.boolean().default(false).describe('The queue of all projects.'),
}
const answer = z.object({
  pauses: z.array(pauseSchema).describe('What is paused now and concerns this scope.'),
  atWork: z.array(z.string()).describe('Runs of this scope that are at work.'),
})

type Scope = { project?: string | undefined; all: boolean }

/** Throws `forbidden` for a caller of some projects who means all. */
async function scopeOf(context: Context, input: Scope): Promise<string> {
  if (!input.all) return (await projectOf(context, input.project)).root
  if (input.project !== undefined) throw new ReeveError('invalid_input', { problem: 'There is a project and "all"; give one of them.' })
  if (context.caller.projects === null) return ALL_PROJECTS
  const { name, role } = context.caller
  throw new ReeveError('forbidden', { actor: name, role, doing: 'pause or resume all projects', needed: 'a key for all projects' })
}

async function standOf(store: Store, scope: string): Promise<z.input<typeof answer>> {
  const pauses = (await store.queue.pauses()).filter((it) => it.scope === ALL_PROJECTS || it.scope === scope)
  return { pauses, atWork: await atWorkIn(store, scope) }
}

async function atWorkIn(store: Store, scope: string): Promise<string[]> {
  const atWork = await store.queue.runsAtWork()
  return atWork.filter((it) => scope === ALL_PROJECTS || it.project === scope).map((it) => it.run)
}

export const queuePause = operation({
  name: 'queue.pause',
  route: 'POST /api/v1/queue/pause',
  summary: 'Begins no more queued runs, of a project or of all. Those at work go on.',
  permission: 'queue:write',
  effect: 'write',
  input: z.object(scopeInput),
  output: answer,
  async handler(context, input) {
    const scope = await scopeOf(context, input)
    const store = await context.store()
    await store.queue.pauseQueue(scope, 'paused', context.actor)
    return standOf(store, scope)
  },
})

export const queueResume = operation({
  name: 'queue.resume',
  route: 'POST /api/v1/queue/resume',
  summary: 'Begins queued runs again: ends a pause or a drain of the same scope.',
  permission: 'queue:write',
  effect: 'write',
  input: z.object(scopeInput),
  output: answer,
  async handler(context, input) {
    const scope = await scopeOf(context, input)
    const store = await context.store()
    await store.queue.resumeQueue(scope)
    return standOf(store, scope)
  },
})

export const queueDrain = operation({
  name: 'queue.drain',
  route: 'POST /api/v1/queue/drain',
  summary: 'Begins no more queued runs and waits until none is at work any more, or for the given time.',
  permission: 'queue:write',
  effect: 'write',
  input: z.object({ ...scopeInput, wait_seconds: z.number().min(0).max(600).default(30) }),
  output: answer.extend({ drained: z.boolean() }),
  async handler(context, input, signal) {
    const scope = await scopeOf(context, input)
    const store = await context.store()
    await store.queue.pauseQueue(scope, 'draining', context.actor)
    const drained = await untilNoneAtWork(context, store, scope, input.wait_seconds * 1000, signal)
    return { ...(await standOf(store, scope)), drained }
  },
})

async function untilNoneAtWork(context: Context, store: Store, scope: string, waitMs: number, signal: AbortSignal): Promise<boolean> {
  const until = context.clock.now() + waitMs
  const watch = store.watch(null)
  try {
    for (;;) {
      signal.throwIfAborted()
      if ((await atWorkIn(store, scope)).length === 0) return true
      const left = until - context.clock.now()
      if (left <= 0) return false
      await watch.next(left, signal)
    }
  } finally {
    watch.close()
  }
}
