import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkout } from '../workspace/port.ts'
import { isInTarget, listProjectFiles } from './files.ts'
import { grammarOf, languageOf } from './languages.ts'
import { type Candidate, choose, type Wish } from './map/choose.ts'
import { type MappedFile, rank } from './map/rank.ts'
import { render } from './map/render.ts'
import { queryWords } from './map/words.ts'
import { type SymbolReader, sharedReader } from './symbols.ts'

export interface RepoMapRequest {
  /** Budget; counted as characters / 3.6. */
  tokens: number
  /** Files that matter most, from the checkout's root. */
  focus?: readonly string[]
  /** The task's text, or words of it. */
  query?: string
  /** Files parsed at most. */
  most?: number
}

// About 250 files a second are parsed: a map should not take longer than a model's first word.
const MOST_PARSED = 1500
const READ_AT_ONCE = 32

/**
 * A map of the repository for a prompt: files with the signatures of what they define, ranked by references between files, nearest to the
 * focus and the query first, within the budget. The same files give the same map. Says what was left out.
 */
export async function repoMap(checkout: Checkout, request: RepoMapRequest, reader: SymbolReader = sharedReader()): Promise<string> {
  const most = request.most ?? MOST_PARSED
  const files = (await listProjectFiles(checkout)).filter((it) => isInTarget(checkout, it))
  const wish: Wish = { focus: new Set(request.focus ?? []), words: queryWords(request.query ?? '') }
  const candidates = await readAll(
    checkout,
    files.filter((it) => grammarOf(it) !== undefined),
  )
  const chosen = choose(candidates, wish, most)
  const { mapped, failed } = await outlines(chosen, reader)
  const ranking = await rank(mapped, wish)
  const notes = [
    ...(chosen.length < candidates.length ? [`${chosen.length} of ${candidates.length} source files were read for this map`] : []),
    ...failed.slice(0, 3),
    ...(failed.length > 3 ? [`${failed.length - 3} more files could not be parsed`] : []),
  ]
  const known = new Set(mapped.map((it) => it.path))
  const others = files.filter((it) => !known.has(it) && languageOf(it)?.kind === 'code')
  return render(ranking, others, notes, request.tokens)
}

async function readAll(checkout: Checkout, paths: readonly string[]): Promise<Candidate[]> {
  const read: Candidate[] = []
  for (let at = 0; at < paths.length; at += READ_AT_ONCE) {
    const batch = paths.slice(at, at + READ_AT_ONCE)
    const texts = await Promise.all(batch.map((it) => readFile(join(checkout.path, it), 'utf8').catch(() => null)))
    for (const [index, path] of batch.entries()) {
      const text = texts[index]
      // Deleted meanwhile, or binary under a source file's name.
      if (typeof text === 'string' && !text.slice(0, 8000).includes('\0')) read.push({ path, text })
    }
  }
  return read
}

async function outlines(chosen: readonly Candidate[], reader: SymbolReader): Promise<{ mapped: MappedFile[]; failed: string[] }> {
  const answers = await Promise.all(chosen.map(async (it) => ({ path: it.path, outline: await reader.outline(it.path, it.text) })))
  const mapped: MappedFile[] = []
  const failed: string[] = []
  for (const { path, outline } of answers) {
    if (outline === null) continue
    if ('problem' in outline) failed.push(`${path} was left out: ${outline.problem}`)
    else mapped.push({ path, outline })
  }
  return { mapped, failed }
}
