import type { CoverageReport } from '../port.ts'
import { descendants, readXml } from './xml.ts'

type Files = Map<string, Record<number, number>>

/** Lines beyond this are no source file's: a report that names them is broken. */
const LAST_LINE = 10_000_000

function hit(files: Files, path: string, line: number, hits: number): void {
  if (!Number.isInteger(line) || line < 1 || line > LAST_LINE || !Number.isFinite(hits)) return
  const lines = files.get(path) ?? {}
  lines[line] = (lines[line] ?? 0) + Math.max(0, hits)
  files.set(path, lines)
}

function report(files: Files): CoverageReport {
  return { files: [...files].map(([path, lines]) => ({ path, lines })) }
}

type Place = (path: string) => string | null

/** lcov: `SF:path`, `DA:line,hits`, `end_of_record`. The same file in several records is added up. */
export function readLcov(text: string, place: Place): { coverage: CoverageReport; problem: string | null } {
  const files: Files = new Map()
  let path: string | null = null
  let open = false
  let records = 0
  for (const raw of text.split('\n')) {
    const line = raw.trimEnd()
    if (line.startsWith('SF:')) {
      path = place(line.slice(3))
      if (path !== null && !files.has(path)) files.set(path, {})
      open = true
    } else if (line.startsWith('DA:') && path !== null) {
      const [number, hits] = line.slice(3).split(',')
      hit(files, path, Number(number), Number(hits))
    } else if (line === 'end_of_record') {
      records++
      path = null
      open = false
    }
  }
  const problem = open ? 'it ends in the middle of a record' : records === 0 && text.trim() !== '' ? 'it holds no record' : null
  return { coverage: report(files), problem }
}

/** Cobertura XML; paths are relative to one of its `<source>` folders. */
export function readCobertura(text: string, place: Place): { coverage: CoverageReport; problem: string | null } {
  const { root, problem } = readXml(text)
  const files: Files = new Map()
  const sources = [...descendants(root, 'source')].map((it) => it.text.trim()).filter((it) => it !== '')
  const located = (name: string): string | null => {
    if (name.startsWith('/')) return place(name)
    return sources.map((it) => place(`${it.replace(/\/$/, '')}/${name}`)).find((it) => it !== null) ?? place(name)
  }
  for (const node of descendants(root, 'class')) {
    const path = located(node.attributes['filename'] ?? '')
    if (path === null) continue
    // Lines stand below the class and once more below its methods: the class's own are complete.
    const own = node.children.find((it) => it.name === 'lines')
    if (!files.has(path)) files.set(path, {})
    for (const line of own?.children ?? []) hit(files, path, Number(line.attributes['number']), Number(line.attributes['hits']))
  }
  const foreign =
    problem === null && root.children[0]?.name !== 'coverage' ? `its root is <${root.children[0]?.name ?? ''}>, not <coverage>` : null
  return { coverage: report(files), problem: problem ?? foreign }
}

/** JaCoCo XML: `<package name="a/b"><sourcefile name="C.java"><line nr= ci=>`; `find` knows where a package's sources lie. */
export function readJacoco(text: string, find: (path: string) => string | null): { coverage: CoverageReport; problem: string | null } {
  const { root, problem } = readXml(text)
  const files: Files = new Map()
  for (const pack of descendants(root, 'package')) {
    for (const source of pack.children.filter((it) => it.name === 'sourcefile')) {
      const path = find(`${pack.attributes['name'] ?? ''}/${source.attributes['name'] ?? ''}`)
      if (path === null) continue
      for (const line of source.children.filter((it) => it.name === 'line'))
        hit(files, path, Number(line.attributes['nr']), Number(line.attributes['ci']))
    }
  }
  return { coverage: report(files), problem }
}

/** Go's cover profile: `module/path/file.go:1.2,3.4 statements count`. `module` is the path of go.mod, cut from the names. */
export function readGoCover(text: string, module: string, place: Place): { coverage: CoverageReport; problem: string | null } {
  const files: Files = new Map()
  const lines = text.split('\n').filter((it) => it.trim() !== '')
  if (lines.length > 0 && !lines[0]?.startsWith('mode:')) return { coverage: report(files), problem: 'it does not begin with "mode:"' }
  for (const line of lines.slice(1)) {
    const found = /^(.+):(\d+)\.\d+,(\d+)\.\d+ \d+ (\d+)$/.exec(line.trim())
    if (!found) continue
    const name = found[1] ?? ''
    const path = place(name.startsWith(`${module}/`) ? name.slice(module.length + 1) : name)
    if (path === null) continue
    // Blocks overlap at their edges; a line is reached when one of its blocks is.
    for (let at = Number(found[2]); at <= Math.min(Number(found[3]), LAST_LINE); at++) hit(files, path, at, Number(found[4]))
  }
  return { coverage: report(files), problem: null }
}
