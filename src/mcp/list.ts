import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { RUN_STATUSES } from '../core/run.ts'
import { answer } from './answer.ts'
import { ids, idsOut, oldText, stateField } from './fields.ts'
import { define } from './tool.ts'

export const listTool = define({
  name: 'ai_coder_list',
  title: 'List runs',
  description: 'Runs, newest first.',
  input: z.strictObject({
    state: stateField.optional(),
    repository: z.string().optional(),
    cursor: z.string().optional(),
    limit: z.int().min(1).max(100).default(20),
    status_filter: oldText('state'),
  }),
  output: z.looseObject({
    runs: z.array(z.looseObject({ ...idsOut, title: z.string(), state: stateField })),
    nextCursor: z.string().optional(),
  }),
  annotations: { readOnlyHint: true },
  async run({ client, ctx }, { repository, cursor, limit, ...rest }) {
    const state = rest.state ?? known(rest.status_filter)
    const asked = { limit, ...(state === undefined ? {} : { status: [state] }), ...(cursor === undefined ? {} : { after: runOf(cursor) }) }
    const place = repository === undefined ? { all: true } : { project: repository }
    const { runs, next } = await client.call('runs.list', { ...asked, ...place }, ctx.mcpReq.signal)
    const page = runs.map((it) => ({
      ...ids(it.id),
      title: it.task.title,
      state: it.status,
      reason: it.reason,
      message: it.message,
      verdict: it.verdict,
      repository: it.project,
      createdAt: new Date(it.createdAt).toISOString(),
    }))
    return answer({ runs: page, ...(next === null ? {} : { nextCursor: next }) })
  },
})

/** The last run of the answer before. */
function runOf(cursor: string): string {
  if (/^r[0-9a-z]+$/.test(cursor)) return cursor
  throw new ReeveError('invalid_input', { problem: 'ai_coder_list: cursor: must be a nextCursor of an earlier answer' })
}

function known(filter: string | undefined): z.output<typeof stateField> | undefined {
  if (filter === undefined || filter === 'all') return undefined
  const state = RUN_STATUSES.find((it) => it === filter)
  if (state === undefined)
    throw new ReeveError('invalid_input', {
      problem: `ai_coder_list: status_filter is "${filter}"; allowed: all, ${RUN_STATUSES.join(', ')}`,
    })
  return state
}
