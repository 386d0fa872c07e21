import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { forModel } from '../core/hostile-text.ts'
import { answer } from './answer.ts'
import { ids, idsOut, oldText, runFields, runIdOf } from './fields.ts'
import { type Call, define } from './tool.ts'

// A third of what hosts hand to a model of one result; the rest is asked for with `offset`, or lies in the resource.
const MAX_CHARACTERS = 64 * 1024
const OPS = ['tree', 'diff', 'read'] as const

export const workspaceTool = define({
  name: 'ai_coder_workspace',
  title: 'Look at the files of a run',
  description: 'Read only: list its files, its diff, or read one.',
  input: z.strictObject({
    ...runFields,
    op: z.enum(OPS).optional(),
    path: z.string().optional().describe('From the root of the project'),
    offset: z.int().min(0).default(0).describe('read, diff: the next of an earlier answer'),
    operation: oldText('op'),
  }),
  output: z.looseObject({
    ...idsOut,
    files: z.array(z.string()).optional(),
    changes: z.array(z.looseObject({ path: z.string() })).optional(),
    text: z.string().optional(),
    next: z.int().optional(),
  }),
  annotations: { readOnlyHint: true },
  async run(call, input) {
    const run = runIdOf('ai_coder_workspace', input)
    const op = input.op ?? opOf(input.operation)
    return OPERATIONS[op](call, { run, path: input.path, offset: input.offset })
  },
})

function opOf(old: string | undefined): (typeof OPS)[number] {
  const op = old === undefined || old === 'list' ? 'tree' : OPS.find((it) => it === old)
  if (op === undefined)
    throw new ReeveError('invalid_input', { problem: `ai_coder_workspace: operation is "${old}"; allowed: list, ${OPS.join(', ')}` })
  return op
}

interface Look {
  run: string
  path: string | undefined
  offset: number
}

const OPERATIONS: Record<(typeof OPS)[number], (call: Call, look: Look) => Promise<ReturnType<typeof answer>>> = {
  async tree({ client, ctx }, { run, path }) {
    const tree = await client.call('workspace.tree', { run, ...(path === undefined ? {} : { path }) }, ctx.mcpReq.signal)
    return answer({ ...ids(tree.run), at: tree.at, files: tree.files, complete: tree.complete })
  },
  async diff({ client, ctx }, { run, path, offset }) {
    const diff = await client.call('runs.diff', { run }, ctx.mcpReq.signal)
    const of = (it: string) => path === undefined || it === path || it.startsWith(`${path}/`)
    return answer({
      ...ids(diff.run),
      base: diff.base,
      commit: diff.commit,
      changes: diff.files.filter((it) => of(it.path)),
      ...part(path === undefined ? diff.patch : partsOf(diff.patch, of), offset),
    })
  },
  async read({ client, ctx }, { run, path, offset }) {
    if (path === undefined) throw new ReeveError('invalid_input', { problem: 'ai_coder_workspace: read needs a path' })
    const file = await client.call('workspace.read', { run, path, offset }, ctx.mcpReq.signal)
    if (file.text === null) throw new ReeveError('path_refused', { path, problem: 'it is not text' })
    const { text, next } = part(file.text, 0)
    const end = next === undefined ? file.next : offset + next
    return answer({ ...ids(file.run), at: file.at, path: file.path, text, ...(end === null ? {} : { next: end }) })
  },
}

/** The parts of a patch about files that fit. */
function partsOf(patch: string, of: (path: string) => boolean): string {
  const parts = patch.split(/^(?=diff --git )/m)
  return parts.filter((it) => of(/^diff --git a\/(.*) b\/\1$/m.exec(it)?.[1] ?? '')).join('')
}

function part(text: string, offset: number): { text: string; next?: number } {
  const end = offset + MAX_CHARACTERS
  return { text: forModel(text.slice(offset, end)), ...(end < text.length ? { next: end } : {}) }
}
