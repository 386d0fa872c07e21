import { z } from 'zod'
import { changesBetween, patchBetween } from '../workspace/diff.ts'
import { openProject } from '../workspace/project.ts'
import { runNamed } from './context.ts'
import { operation } from './operation.ts'
import { runInput } from './shapes.ts'

// A patch that nobody reads; the branch is there for tools.
const MAX_BYTES = 8 * 1024 * 1024

export const runsDiff = operation({
  name: 'runs.diff',
  route: 'GET /api/v1/runs/{run}/diff',
  summary: 'Gives what a run has changed since its base, as far as its last checkpoint.',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({ run: runInput, patch: z.boolean().default(true).describe('Also the unified diff, not only the files.') }),
  output: z.object({
    run: z.string(),
    base: z.string(),
    commit: z.string().nullable(),
    files: z.array(
      z.object({
        path: z.string(),
        status: z.enum(['added', 'modified', 'deleted']),
        opaque: z.boolean(),
        added: z.int(),
        removed: z.int(),
      }),
    ),
    patch: z.string(),
  }),
  async handler(context, input) {
    const store = await context.store()
    const row = await runNamed(context, store, input.run)
    const { base = '', commit = null } = row.facts
    if (base === '' || commit === null) return { run: row.id, base, commit, files: [], patch: '' }
    const project = await openProject(row.project)
    const files = await changesBetween(project, base, commit)
    const patch = input.patch ? await patchBetween(project, base, commit, MAX_BYTES) : ''
    // The person at this machine may want to apply it as it is, and has the files anyway.
    return { run: row.id, base, commit, files, patch: context.caller.kind === 'user' ? patch : context.secrets.redact(patch) }
  },
})
