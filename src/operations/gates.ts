import { join } from 'node:path'
import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import type { Settings } from '../core/settings.ts'
import { TASK_KINDS } from '../core/task.ts'
import { GATE_NAMES, gateStatusSchema, verdictSchema } from '../core/verdict.ts'
import { plainCheckout, rootAround } from './checkouts.ts'
import { pathOf, settingsOf } from './context.ts'
import { stream } from './operation.ts'
import { createQueue } from './queue.ts'

const where = z.enum(['change', 'base', 'proof'])
const gateEvents = z.discriminatedUnion('type', [
  z.object({ type: z.literal('gate.started'), gate: z.string(), command: z.string(), where }),
  z.object({
    type: z.literal('gate.finished'),
    gate: z.string(),
    status: gateStatusSchema,
    introduced: z.int(),
    total: z.int(),
    durationMs: z.number(),
    where,
  }),
  z.object({ type: z.literal('proof.finished'), status: z.enum(['proved', 'refuted', 'not_run', 'not_needed']), summary: z.string() }),
  z.object({ type: z.literal('verdict'), verdict: verdictSchema }),
])

export const gatesRun = stream({
  name: 'gates.run',
  route: 'POST /api/v1/gates/run',
  place: 'caller',
  summary: 'Runs the gates on a checkout, with no model and no run. The last event is the verdict.',
  permission: 'projects:write',
  who: 'user',
  effect: 'write',
  input: z.object({
    path: z.string().optional().describe('A folder; the current one when absent.'),
    base: z.string().optional().describe('Judge relative to this commit; HEAD when there are changes that are not committed.'),
    only: z.array(z.string()).default([]).describe('Only these gates.'),
    kind: z.enum(TASK_KINDS).optional().describe('Kind of the change: it decides which proof is asked for. Without it no red proof is.'),
  }),
  events: gateEvents,
  async *handler(context, input, signal) {
    const checkout = await plainCheckout(context, input.path)
    const { settings } = await settingsOf(context, await rootAround(checkout.path))
    const { judgeCheckout } = await import('../gates/plain.ts')
    const sandbox = await context.kit.sandbox(asOwn(settings))
    const leave = new AbortController()
    const queue = createQueue<z.input<typeof gateEvents>>()
    const judged = judgeCheckout({
      path: pathOf(context, input.path),
      settings: onlyThese(settings, input.only),
      ...(input.base === undefined ? {} : { base: input.base }),
      ...(input.kind === undefined ? {} : { kind: input.kind }),
      cacheDir: join(context.folders.cache, 'base-results'),
      timeoutMs: settings.runs.gate_timeout_minutes * 60_000,
      signal: AbortSignal.any([signal, leave.signal]),
      emit: (event) => queue.push(event),
      judge: context.kit.judge,
      hold: (place) => sandbox.confine(place, { kind: 'run' }),
    })
    judged.then(
      () => queue.end(),
      () => queue.end(),
    )
    try {
      yield* queue.items()
      yield { type: 'verdict' as const, verdict: await judged }
    } finally {
      leave.abort()
      await judged.catch(() => undefined)
    }
  },
})

/** The user's own commands on their own files: limits hold, and no sandbox comes between them and what they use in their terminal. */
function asOwn(settings: Settings): Settings {
  return settings.sandbox.level === 'none' ? settings : { ...settings, sandbox: { ...settings.sandbox, level: 'guarded' } }
}

/** The settings with all other gates switched off. Throws `gate_not_found`. */
function onlyThese(settings: Settings, only: readonly string[]): Settings {
  if (only.length === 0) return settings
  const known = [...new Set([...GATE_NAMES, ...Object.keys(settings.gates)])].toSorted()
  const unknown = only.find((it) => !known.includes(it))
  if (unknown !== undefined) throw new ReeveError('gate_not_found', { gate: unknown, known: known.join(', ') })
  const gates = Object.fromEntries(
    known.map((name) => [name, { enabled: true, ...settings.gates[name], ...(only.includes(name) ? {} : { enabled: false }) }]),
  )
  return { ...settings, gates: gates as Settings['gates'] }
}
