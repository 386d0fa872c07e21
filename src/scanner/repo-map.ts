import type { Checkout } from '../workspace/port.ts'
import { isInTarget, listProjectFiles } from './files.ts'
import { grammarOf, languageOf } from './languages.ts'
import { type Candidate, choose, type Wish } from './map/choose.ts'
import type { MappedFile } from './map/prepare.ts'
import { rank } from './map/rank.ts'
import { render } from './map/render.ts'
import { queryOf } from './map/words.ts'
import { importsIn } from './symbols/outline.ts'
import { type SymbolReader, sharedReader } from './symbols.ts'
import { eachText } from './texts.ts'

export interface RepoMapRequest {
  /** Budget; counted as characters / 3.6. */
  tokens: number
  /** Files that matter most, from the checkout's root. */
  focus?: readonly string[]
  /** The task's text, or words of it. */
  query?: string
  /** Files parsed at most. */
  most?: number
  /** Files that must not be looked into. */
  leaveOut?: (path: string) => boolean
}

// About 250 files a second are parsed: a map should not take longer than a model's first word.
const MOST_PARSED = 1500

/**
 * A map of the repository for a prompt: files with the signatures of what they define, ranked by references between files, nearest to the
 * focus and the query first, within the budget. The same files give the same map. Says what was left out.
 */
export async function repoMap(checkout: Checkout, request: RepoMapRequest, reader: SymbolReader = sharedReader()): Promise<string> {
  const most = request.most ?? MOST_PARSED
  const all = (await listProjectFiles(checkout)).filter((it) => isInTarget(checkout, it))
  const files = request.leaveOut === undefined ? all : all.filter((it) => !request.leaveOut?.(it))
  const wish: Wish = { focus: new Set(request.focus ?? []), query: queryOf(request.query ?? '') }
  const sources = files.filter((it) => grammarOf(it) !== undefined)
  const chosen = sources.length <= most ? sources : choose(await importsOf(checkout, sources), wish, most)
  const { mapped, failed } = await outlines(checkout, chosen, reader)
  const ranking = await rank(mapped, wish)
  const notes = [
    ...(chosen.length < sources.length ? [`${chosen.length} of ${sources.length} source files were read for this map`] : []),
    ...failed.slice(0, 3),
    ...(failed.length > 3 ? [`${failed.length - 3} more files could not be parsed`] : []),
  ]
  const known = new Set(mapped.map((it) => it.path))
  const others = files.filter((it) => !known.has(it) && languageOf(it)?.kind === 'code')
  return render(ranking, others, notes, request.tokens)
}

/** Reads every source for its import lines alone: the texts of a large repository are not kept. */
async function importsOf(checkout: Checkout, paths: readonly string[]): Promise<Candidate[]> {
  return (await eachText(checkout.path, paths, (path, text) => ({ path, imports: importsIn(text) }))).done
}

async function outlines(
  checkout: Checkout,
  paths: readonly string[],
  reader: SymbolReader,
): Promise<{ mapped: MappedFile[]; failed: string[] }> {
  const answers = await eachText(checkout.path, paths, async (path, text) => ({ path, outline: await reader.outline(path, text) }))
  const mapped: MappedFile[] = []
  const failed: string[] = []
  for (const { path, outline } of answers.done) {
    if (outline === null) continue
    if ('problem' in outline) failed.push(`${path} was left out: ${outline.problem}`)
    else mapped.push({ path, outline })
  }
  return { mapped, failed }
}
