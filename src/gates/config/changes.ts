import { dirname } from 'node:path'
import ignore from 'ignore'
import type { Finding } from '../../core/verdict.ts'
import type { FileChange } from '../../workspace/port.ts'
import type { Bench } from '../bench.ts'
import { quoted, RULES, tampered } from '../named.ts'
import type { Places } from '../places.ts'
import { compareBuildFile, compareCmake, compareMakefile } from './build-files.ts'
import { calledFiles } from './called-files.ts'
import { compareCode } from './code.ts'
import { type ConfigFile, configFileOf } from './files.ts'
import { comparePackageJson } from './package-json.ts'
import { parseIni, parseLooseJson, parseLooseToml } from './parse.ts'
import { type Compared, compareValues, flatten } from './values.ts'

/** A change to a file that decides how the project is judged. */
export interface ConfigChange {
  path: string
  gates: readonly string[]
  /** It judges less than before; then the base's version is what judges. */
  weakened: boolean
  finding: Finding
}

// Nobody writes configuration of this size; reading it must not hold up everything else.
const MAX_TEXT = 256 * 1024
const CALLED: ConfigFile = { name: /$^/, gates: ['build', 'types', 'lint', 'tests', 'coverage'], reader: 'code' }

/** Every change to the configuration of gates, with what it weakens. Files whose relevant parts are as they were give nothing. */
export async function configChanges(bench: Bench, places: Places): Promise<ConfigChange[]> {
  const { comparison } = bench.request
  if (!comparison) return []
  // Renamed beside itself it still works; moved elsewhere it is gone from where it worked.
  const away = new Set([...places.moved].filter(([now, old]) => dirname(now) === dirname(old)).map(([, old]) => old))
  const files = await comparison.filesAtBase()
  const called = await calledFiles(bench, files)
  const candidates = comparison.changes.filter((it) => (configFileOf(it.path) ?? called.has(it.path)) && !away.has(it.path))
  if (candidates.length === 0) return []
  const hides = hiddenBy(bench, files)
  const found = await Promise.all(candidates.map((it) => configChange(bench, places, it, hides)))
  return found.filter((it) => it !== null)
}

async function configChange(
  bench: Bench,
  places: Places,
  change: FileChange,
  hides: (item: string) => boolean,
): Promise<ConfigChange | null> {
  const { path } = change
  const file = configFileOf(path) ?? CALLED
  if (change.opaque) return described(path, file, { weaker: ['is no plain text file any more'], differs: true }, change)
  const before = change.status === 'added' ? await bench.atBase(places.moved.get(path) ?? path) : await bench.atBase(path)
  const after = change.status === 'deleted' ? null : await bench.here(path)
  const compared =
    after === null
      ? { weaker: ['was deleted'], differs: true }
      : after.length > MAX_TEXT
        ? { weaker: ['is too large to be read'], differs: true }
        : compare(file, path, before, after, hides)
  return compared.differs || compared.weaker.length > 0 ? described(path, file, compared, change) : null
}

function compare(file: ConfigFile, path: string, before: string | null, after: string, hides: (item: string) => boolean): Compared {
  if (file.reader === 'code') return compareCode(before, after, path, hides)
  if (file.reader === 'makefile') return compareMakefile(before, after)
  if (file.reader === 'cmake') return compareCmake(before, after)
  if (file.reader === 'build-file') return compareBuildFile(before, after)
  const parse = file.reader === 'toml' ? parseLooseToml : file.reader === 'ini' ? parseIni : parseLooseJson
  const old = before === null ? null : parse(before)
  const now = parse(after)
  if (now === undefined) return { weaker: ['cannot be read any more'], differs: true }
  // What could not be read before cannot be compared; the new version then speaks for itself.
  const known = old === undefined ? null : old
  if (file.reader === 'package-json') return comparePackageJson(known ?? {}, now, hides)
  return compareValues(only(known, file.sections), only(now, file.sections) ?? {}, hides)
}

/** The parts of a configuration that concern gates, as flat keys. */
function only(value: unknown, sections: readonly string[] | undefined): unknown {
  if (value === null || sections === undefined) return value
  const kept = [...flatten(value)].filter(([key]) =>
    sections.some((it) => key === it || key.startsWith(`${it}.`) || key.startsWith(it + '-')),
  )
  return Object.fromEntries(kept)
}

function described(path: string, file: ConfigFile, compared: Compared, change: FileChange): ConfigChange {
  const weakened = compared.weaker.length > 0
  const what = change.status === 'added' ? 'was added' : change.status === 'deleted' ? 'was deleted' : 'was changed'
  const which = `${quoted(path)}, which decides how ${listed(file.gates)} ${file.gates.length === 1 ? 'is' : 'are'} judged, ${what}`
  const message = weakened
    ? `${which}: ${compared.weaker.filter((it) => it !== what).join('; ') || 'its rules are gone'}.`
    : `${which}. Nothing weaker was seen; look at it.`
  return { path, gates: file.gates, weakened, finding: tampered(RULES.config, { file: path }, message, weakened ? 'error' : 'warning') }
}

function listed(gates: readonly string[]): string {
  return gates.length > 2 ? 'the project' : gates.join(' and ')
}

/** Whether an item of an ignore list hits tests that were there on the base. */
function hiddenBy(bench: Bench, files: readonly string[]): (item: string) => boolean {
  const tests = files.filter((it) => bench.isTest(it))
  return (item) => {
    const pattern = item.replace(/^<rootDir>\/?/, '').replace(/^\.?\//, '')
    if (pattern === '' || pattern.startsWith('!')) return false
    try {
      const rule = ignore().add(pattern)
      return tests.some((it) => rule.ignores(it) || it.startsWith(`${pattern}/`))
    } catch {
      return false
    }
  }
}
