import { z } from 'zod'
import { pathOf } from './context.ts'
import { operation } from './operation.ts'
import type { Manifest } from './state/manifest.ts'

const folderInput = z.string().min(1).describe('Folder of the backup.')

const backupSchema = z.object({
  folder: z.string(),
  /** Version of reeve that has made it. */
  reeve: z.string(),
  createdAt: z.string(),
  files: z.int(),
  bytes: z.number(),
  unfinished: z.int().describe('Runs in it that had not ended.'),
})

export const stateBackup = operation({
  name: 'state.backup',
  route: 'POST /api/v1/state/backup',
  summary: 'Writes a consistent backup of the whole state into a new folder, while runs go on.',
  permission: 'system:admin',
  who: 'user',
  effect: 'write',
  input: z.object({ folder: folderInput }),
  output: backupSchema,
  async handler(context, input, signal) {
    const { makeBackup } = await import('./state/make-backup.ts')
    const to = pathOf(context, input.folder, 'folder')
    const { folders, version, clock } = context
    const manifest = await makeBackup({ store: await context.store(), folders, to, version, clock, signal })
    return toldOf(to, manifest)
  },
})

export const stateRestore = operation({
  name: 'state.restore',
  route: 'POST /api/v1/state/restore',
  // A daemon holds what would be replaced.
  place: 'caller',
  summary: 'Puts the state of a backup in the place of what is there, which is kept beside it. No daemon may be at work.',
  permission: 'system:admin',
  who: 'user',
  effect: 'destructive',
  input: z.object({
    folder: folderInput,
    check: z.boolean().default(false).describe('Only read it and say whether it could be restored.'),
  }),
  output: backupSchema.extend({
    restored: z.boolean(),
    at_work: z.int().describe('Runs that were at work when it was made: they begin their step again.'),
    before: z.string().nullable().describe('Where what was there lies now.'),
  }),
  async handler(context, input, signal) {
    const { checkBackup, restoreBackup } = await import('./state/restore-backup.ts')
    const from = pathOf(context, input.folder, 'folder')
    const { folders, version, clock } = context
    if (input.check) {
      const manifest = await checkBackup({ from, version, signal })
      return { ...toldOf(from, manifest), restored: false, at_work: 0, before: null }
    }
    const { manifest, atWork, before } = await restoreBackup({ from, folders, version, clock, signal })
    return { ...toldOf(from, manifest), restored: true, at_work: atWork, before }
  },
})

function toldOf(folder: string, { reeve, createdAt, files, unfinished }: Manifest): z.input<typeof backupSchema> {
  const bytes = files.reduce((sum, it) => sum + it.bytes, 0)
  return { folder, reeve, createdAt, files: files.length, bytes, unfinished: unfinished.length }
}
