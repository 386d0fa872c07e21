import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import type { RunEvent } from '../core/event.ts'
import { isFinished } from '../core/run.ts'
import { answer } from './answer.ts'
import { logLine } from './event-line.ts'
import { oldSwitch, oldText, runFields, runIdOf } from './fields.ts'
import { eventsAfter } from './follow.ts'
import { define } from './tool.ts'

const FOLLOW_MS = 25_000
// About as many lines as the largest answer holds: each answer must not read the rest of a long run.
const MOST_EVENTS = 1000
const LEVELS = ['debug', 'info', 'warn', 'error']
const TROUBLE = /\.(failed|limited|broken|interrupted|rejected|refused|reached)$/
/** Said to programs only. */
const QUIET = /^(usage|budget)\.re(ported|served)$/

export const logsTool = define({
  name: 'ai_coder_logs',
  title: 'Read the log of a run',
  description: 'Events of a run as lines; go on with cursor until done.',
  input: z.strictObject({
    ...runFields,
    cursor: z.string().optional(),
    maxBytes: z.int().min(1000).max(65_536).default(16_384),
    follow: oldSwitch('status'),
    level: oldText('all'),
  }),
  output: z.looseObject({ text: z.string(), cursor: z.string(), done: z.boolean() }),
  annotations: { readOnlyHint: true },
  async run(call, input) {
    const run = runIdOf('ai_coder_logs', input)
    const wanted = wantedBy(input.level)
    const after = numberOf(input.cursor)
    const view = await call.client.call('runs.get', { run }, call.ctx.mcpReq.signal)
    const events = await eventsAfter(call, view.id, after, { waitMs: input.follow === true ? FOLLOW_MS : 0, most: MOST_EVENTS })
    const { text, last } = within(events, after, input.maxBytes, wanted)
    const whole = last === (events.at(-1)?.seq ?? after) && events.length < MOST_EVENTS
    const finished = isFinished(view.status) || events.some((it) => it.type === 'run.finished')
    return answer({ text, cursor: String(last), done: finished && whole })
  },
})

/** As many whole lines as fit, one at least, and the number of the last event that was looked at. */
function within(
  events: readonly RunEvent[],
  after: number,
  maxBytes: number,
  wanted: (event: RunEvent) => boolean,
): { text: string; last: number } {
  let text = ''
  let last = after
  for (const event of events) {
    const line = wanted(event) ? `${logLine(event)}\n` : ''
    if (text !== '' && Buffer.byteLength(text + line) > maxBytes) break
    text += line
    last = event.seq
  }
  return { text, last }
}

function numberOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw new ReeveError('invalid_input', { problem: 'ai_coder_logs: cursor: must be the cursor of an earlier answer' })
}

function wantedBy(level: string | undefined): (event: RunEvent) => boolean {
  if (level !== undefined && !LEVELS.includes(level))
    throw new ReeveError('invalid_input', { problem: `ai_coder_logs: level is "${level}"; allowed: ${LEVELS.join(', ')}` })
  if (level === 'debug') return () => true
  if (level === 'warn' || level === 'error') return (it) => TROUBLE.test(it.type) || it.type === 'run.finished'
  return (it) => !QUIET.test(it.type)
}
