import { lstat } from 'node:fs/promises'
import { z } from 'zod'
import { forbiddenBy } from '../agents/tools/file-guard.ts'
import { secretValues } from '../config/secrets.ts'
import { ReeveError } from '../core/errors.ts'
import { optionsOf } from '../steps/options.ts'
import type { RunRow } from '../store/port.ts'
import { checkRelative, listDirIn, readFileIn } from '../workspace/paths.ts'
import { openProject } from '../workspace/project.ts'
import { listFiles, showFile } from '../workspace/revisions.ts'
import { type Context, runNamed } from './context.ts'
import { operation } from './operation.ts'
import { runInput } from './shapes.ts'

// A list that nobody reads; with a folder it is short.
const MAX_FILES = 2000
const MAX_CHARACTERS = 256 * 1024
const MIB = 1024 * 1024
/** Folders that are never source, and hold a hundred times its files. */
const SKIPPED = new Set(['node_modules', '__pycache__', '.venv', 'venv', 'target'])

const at = z.string().describe('"workspace": the files as they are now; else the commit that they come from, since the workspace is gone.')

export const workspaceTree = operation({
  name: 'workspace.tree',
  route: 'GET /api/v1/runs/{run}/files',
  summary: 'Lists the files that a run works on.',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({ run: runInput, path: z.string().default('').describe('A folder; all of the project when absent.') }),
  output: z.object({
    run: z.string(),
    at,
    path: z.string(),
    files: z.array(z.string()),
    complete: z.boolean().describe(`false: there are more than ${MAX_FILES}; name a folder.`),
  }),
  async handler(context, input, signal) {
    const path = input.path === '' || input.path === '.' ? '' : checkRelative(input.path)
    const place = await placeOf(context, input.run)
    const { files, complete } = place.root === null ? await filesAt(place, path) : await filesIn(place.root, path, signal)
    return { run: place.row.id, at: place.at, path, files: files.filter((it) => place.refusal(it) === null), complete }
  },
})

export const workspaceRead = operation({
  name: 'workspace.read',
  route: 'GET /api/v1/runs/{run}/file',
  summary: 'Gives the text of a file that a run works on.',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({
    run: runInput,
    path: z.string().min(1).describe('From the root of the project.'),
    offset: z.int().min(0).default(0).describe('Characters to leave out at the beginning.'),
  }),
  output: z.object({
    run: z.string(),
    at,
    path: z.string(),
    /** null: not text. */
    text: z.string().nullable(),
    characters: z.int().describe('Of the whole file.'),
    next: z.int().nullable().describe('The offset to go on with; null at the end.'),
  }),
  async handler(context, input) {
    const path = checkRelative(input.path)
    const place = await placeOf(context, input.run)
    const rule = place.refusal(path)
    if (rule !== null) throw new ReeveError('path_refused', { path, problem: `such files may hold secrets (files.forbidden: ${rule})` })
    const whole = await textOf(place, path)
    if (whole === null) throw new ReeveError('file_not_found', { path })
    const head = { run: place.row.id, at: place.at, path }
    if (whole.includes('\0')) return { ...head, text: null, characters: 0, next: null }
    // First redacted, then cut: half a secret would not be known for one.
    const text = context.secrets.redact(whole)
    const end = input.offset + MAX_CHARACTERS
    return { ...head, text: text.slice(input.offset, end), characters: text.length, next: end < text.length ? end : null }
  },
})

interface Place {
  row: RunRow
  /** The worktree; null where it is gone. */
  root: string | null
  commit: string
  at: string
  maxBytes: number
  /** Which rule makes a file one that is not shown; null: none. */
  refusal: (path: string) => string | null
}

async function placeOf(context: Context, run: string): Promise<Place> {
  const store = await context.store()
  const row = await runNamed(context, store, run)
  const { settings, base } = optionsOf(row)
  context.secrets.learn(secretValues(settings, context.env))
  const { workspace = '' } = row.facts
  const root = workspace !== '' && (await isFolder(workspace)) ? workspace : null
  const commit = row.facts.commit ?? row.facts.base ?? base
  const maxBytes = Math.floor(settings.files.max_size_mb * MIB)
  return { row, root, commit, at: root === null ? commit : 'workspace', maxBytes, refusal: forbiddenBy(settings.files.forbidden) }
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => null)
  return stats?.isDirectory() ?? false
}

interface Files {
  files: string[]
  complete: boolean
}

/** Nearest first, so that what is left out is what lies deepest. */
async function filesIn(root: string, below: string, signal: AbortSignal): Promise<Files> {
  const files: string[] = []
  const folders = [below]
  while (folders.length > 0 && files.length <= MAX_FILES) {
    signal.throwIfAborted()
    const folder = folders.shift() ?? ''
    // A folder may go away meanwhile; one that was asked for must be there.
    const entries = await listDirIn(root, folder).catch((error: unknown) => {
      if (folder === below) throw error
      return []
    })
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.kind === 'file') files.push(path)
      if (entry.kind === 'folder' && !SKIPPED.has(entry.name)) folders.push(path)
    }
  }
  return cut(files, folders.length === 0)
}

async function filesAt({ row, commit }: Place, below: string): Promise<Files> {
  const all = await listFiles(await openProject(row.project), commit)
  const files = below === '' ? all : all.filter((it) => it.startsWith(`${below}/`))
  if (files.length === 0 && below !== '') throw new ReeveError('file_not_found', { path: below })
  return cut(files, true)
}

function cut(files: string[], whole: boolean): Files {
  return { files: files.slice(0, MAX_FILES).toSorted(), complete: whole && files.length <= MAX_FILES }
}

async function textOf({ row, root, commit, maxBytes }: Place, path: string): Promise<string | null> {
  if (root === null) return showFile(await openProject(row.project), commit, path)
  const bytes = await readFileIn(root, path, maxBytes)
  return bytes === null ? null : Buffer.from(bytes).toString('utf8')
}
