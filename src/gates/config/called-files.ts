import { dirname, posix } from 'node:path'
import type { FileChange } from '../../workspace/port.ts'
import type { Bench } from '../bench.ts'
import { gateLines } from './package-json.ts'
import { parseLooseJson } from './parse.ts'

const SCRIPT = /\.(?:[cm]?[jt]s|sh|bash|py|rb|pl|php|lua)$|(?:^|\/)[\w-]+$/

/**
 * Programs of the project's own that its gates start (`node scripts/test.js`, `./run-tests`): they judge like configuration. Found by their
 * names in the base's command lines, so a change cannot take them out of sight. Test files are left to what looks at tests.
 */
export async function calledFiles(bench: Bench, files: readonly string[]): Promise<Set<string>> {
  const changes = bench.request.comparison?.changes ?? []
  const candidates = changes.filter((it) => it.status !== 'added' && SCRIPT.test(it.path) && !bench.isTest(it.path))
  if (candidates.length === 0) return new Set()
  const lines = await commandLines(bench, files, candidates)
  return new Set(candidates.filter(({ path }) => lines.some((it) => names(it, path))).map((it) => it.path))
}

interface Line {
  folder: string
  text: string
}

async function commandLines(bench: Bench, files: readonly string[], candidates: readonly FileChange[]): Promise<Line[]> {
  const { settings, task } = bench.request
  const above = new Set(candidates.flatMap((it) => foldersOf(it.path)))
  const near = (name: RegExp) => files.filter((it) => name.test(posix.basename(it)) && above.has(dirname(it)))
  const manifests = await Promise.all(
    near(/^package\.json$/).map(async (path) =>
      gateLines(parseLooseJson((await bench.atBase(path)) ?? '{}')).map((text) => ({ folder: dirname(path), text })),
    ),
  )
  const makefiles = await Promise.all(
    near(/^(?:GNU)?[Mm]akefile$|^[Jj]ustfile$|^CMakeLists\.txt$|^tox\.ini$/).map(async (path) => ({
      folder: dirname(path),
      text: (await bench.atBase(path)) ?? '',
    })),
  )
  const configured = Object.values(settings.gates).map((it) => ({ folder: it?.cwd ?? '.', text: it?.command ?? '' }))
  const asked = (task.acceptance.tests ?? []).map((text) => ({ folder: bench.request.checkout.targetDir, text }))
  return [...manifests.flat(), ...makefiles, ...configured, ...asked]
}

function foldersOf(path: string): string[] {
  const folder = dirname(path)
  return folder === '.' ? ['.'] : [folder, ...foldersOf(folder)]
}

const STARTER = String.raw`(?:^|[;&|(\n\t@-]\s*|\b(?:node|sh|bash|zsh|python3?|ruby|perl|php|lua|tsx|ts-node|deno|bun|source|env)\s+(?:-\S+\s+|run\s+)*)`

/** Whether a command line starts a file. One that is only mentioned (a bundler's entry, a compiler's source) is no program of the gates. */
function names({ folder, text }: Line, path: string): boolean {
  const relative = posix.relative(folder, path)
  if (relative.startsWith('..')) return false
  const literal = relative.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
  return new RegExp(`${STARTER}["']?(?:\\./)?${literal}(?=$|[\\s"';&|)])`).test(text)
}
