import { capText } from '../tools/cap.ts'
import { listFilesTool } from '../tools/list-files.ts'
import { loadText } from '../tools/text-file.ts'
import type { ToolContext } from '../tools/tool.ts'
import { outsideFences } from './fences.ts'

/** A file, or lines of it, or a folder (`src/`), that the model is shown with each turn, as it is then. */
export interface Wish {
  path: string
  from: number
  to: number | null
}

/** What a wish came to. `null`: there is nothing to show, and `problem` says why. */
export type Shown = { title: string; text: string; from: number; lines: number } | { problem: string }

/** A goal names a few files; beyond this it is a list of them. */
const MOST_NAMED = 24
const MOST_LISTED = 4000
const NAMED = /[\w@.+~-]+(?:\/[\w@.+~-]+)+|[\w@+~-]+\.[A-Za-z]\w*/g
const CHANGED = /^\+\+\+ b\/(.+)$/gm

/** `src/a.ts`, `src/a.ts:10-20`, `src/`. */
export function wishOf(text: string): Wish {
  const [, path = text, from, to] = /^(.*?)(?::(\d+)(?:-(\d+))?)?$/.exec(text.trim()) ?? []
  return { path, from: Math.max(1, Number(from ?? 1)), to: to === undefined ? null : Number(to) }
}

/** The files of the checkout that a goal names, in its words or in a patch. */
export async function namedFiles(goal: string, context: ToolContext): Promise<Wish[]> {
  const words = [...outsideFences(goal).matchAll(NAMED)].map((it) => it[0].replace(/[.,]+$/, ''))
  const changed = [...goal.matchAll(CHANGED)].map((it) => it[1] ?? '')
  const found: Wish[] = []
  for (const path of new Set([...words, ...changed])) {
    if (found.length >= MOST_NAMED) break
    const loaded = await loadText('read', path, context)
    if (loaded.ok && loaded.text !== null && !found.some((it) => it.path === loaded.path))
      found.push({ path: loaded.path, from: 1, to: null })
  }
  return found
}

/** A wish as it is now. */
export async function show({ path, from, to }: Wish, context: ToolContext): Promise<Shown> {
  if (/(^|\/)\.?$/.test(path)) return listing(path, context)
  const loaded = await loadText('read', path, context)
  if (!loaded.ok) return { problem: loaded.problem.replace(/^read: /, '') }
  if (loaded.text === null) return { problem: `there is no file "${loaded.path}"; a folder, such as "src/", shows what is there` }
  const lines = loaded.text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (from > Math.max(1, lines.length)) return { problem: `"${loaded.path}" has ${lines.length} lines; there is no line ${from}` }
  const chosen = lines.slice(from - 1, to ?? lines.length)
  return { title: loaded.path, text: chosen.join('\n'), from, lines: lines.length }
}

async function listing(path: string, context: ToolContext): Promise<Shown> {
  const folder = path.replace(/\/+$/, '') || '.'
  const { ok, text } = await listFilesTool.run({ path: folder }, context)
  if (!ok) return { problem: text.replace(/^list_files: /, '') }
  const listed = capText(text, MOST_LISTED)
  return { title: folder === '.' ? 'all files' : `files below ${folder}/`, text: listed, from: 1, lines: listed.split('\n').length }
}
