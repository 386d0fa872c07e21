import type { Finding } from '../port.ts'
import { finding } from './reading.ts'

/** `src/a.ts(3,5): error TS2322: message` */
const TSC = /^(.+?)\((\d+),\d+\): (error|warning) (TS\d+): (.*)$/
/** `error TS18003: message` without a place. */
const TSC_GLOBAL = /^(error) (TS\d+): (.*)$/
/** `src/a.c:3:5: error: message`, of gcc, clang, mypy; `path:3: note: ...` too. */
const GCC = /^((?:[A-Za-z]:)?[^\s:][^:\n]*):(\d+):(?:(\d+):)? (?:(fatal error|error|warning|note|info)): (.*)$/
/** `path:3:5: F401 message`, of flake8 and its relatives. */
const FLAKE8 = /^((?:[A-Za-z]:)?[^\s:][^:\n]*):(\d+):(\d+): ([A-Z]{1,4}\d{1,5}) (.*)$/
/** `path.go:3:5: message`, of Go and its relatives; vet puts its name in front. */
const PLAIN = /^(?:vet: )?(?:\.\/)?([^\s:]+\.\w+):(\d+):(\d+): (\S.*)$/
/** `[ERROR] /path/A.java:[3,5] message`, of Maven. */
const MAVEN = /^\[(ERROR|WARNING)\] (\/?[^\s:]+\.\w+):\[(\d+),\d+\] (.*)$/
/** `ld: ... undefined reference to` with or without a place. */
const LINKER = /^(?:.*\/)?(?:ld|collect2)(?:\.\w+)?: (?:error: )?(.*)$/
const UNDEFINED = /^(.*?):\(?[^)]*\)?:?\s*(undefined reference to .*)$/
const CMAKE = /^CMake Error(?: at ([^:]+):(\d+))?(?: \([^)]*\))?:\s*(.*)$/
/** The rule of a message: `[-Wunused]`, `[arg-type]`. */
const RULE = /\s*\[(-W[\w=+-]+|[a-z][\w-]+)\]$/
/** Characters at each end of an output that are read; a tool that says more says it again. */
const ENDS = 2 * 1024 * 1024
/** A tool that repeats itself is cut: people read the first ones. */
const MOST = 1000

function severityOf(word: string): Finding['severity'] {
  if (word.endsWith('error')) return 'error'
  return word === 'warning' ? 'warning' : 'info'
}

function withRule(message: string, otherwise: string): { rule: string; message: string } {
  const found = RULE.exec(message)
  return found ? { rule: found[1] ?? otherwise, message: message.slice(0, found.index) } : { rule: otherwise, message }
}

function parse(line: string, tool: string, place: (path: string) => string | null): Finding | null {
  const tsc = TSC.exec(line)
  if (tsc)
    return finding({
      file: place(tsc[1] ?? ''),
      line: Number(tsc[2]),
      severity: severityOf(tsc[3] ?? ''),
      rule: tsc[4] ?? tool,
      message: tsc[5] ?? '',
    })
  const global = TSC_GLOBAL.exec(line)
  if (global) return finding({ rule: global[2] ?? tool, message: global[3] ?? '' })
  const flake8 = FLAKE8.exec(line)
  if (flake8) return finding({ file: place(flake8[1] ?? ''), line: Number(flake8[2]), rule: flake8[4] ?? tool, message: flake8[5] ?? '' })
  const gcc = GCC.exec(line)
  if (gcc) {
    if (gcc[4] === 'note') return null
    const { rule, message } = withRule(gcc[5] ?? '', tool)
    return finding({ file: place(gcc[1] ?? ''), line: Number(gcc[2]), severity: severityOf(gcc[4] ?? ''), rule, message })
  }
  const plain = PLAIN.exec(line)
  if (plain) {
    const { rule, message } = withRule(plain[4] ?? '', tool)
    return finding({ file: place(plain[1] ?? ''), line: Number(plain[2]), rule, message })
  }
  const maven = MAVEN.exec(line)
  if (maven)
    return finding({
      file: place(maven[2] ?? ''),
      line: Number(maven[3]),
      severity: maven[1] === 'ERROR' ? 'error' : 'warning',
      rule: tool,
      message: maven[4] ?? '',
    })
  const cmake = CMAKE.exec(line)
  if (cmake)
    return finding({
      file: cmake[1] === undefined ? null : place(cmake[1]),
      line: cmake[2] === undefined ? null : Number(cmake[2]),
      rule: 'cmake',
      message: cmake[3] || 'CMake Error',
    })
  const missing = line.includes('undefined reference to') ? UNDEFINED.exec(line) : null
  if (missing) return finding({ file: place((missing[1] ?? '').replace(/^.*\s/, '')), rule: 'linker', message: missing[2] ?? '' })
  const linker = LINKER.exec(line)
  return linker ? finding({ rule: 'linker', message: linker[1] ?? '' }) : null
}

/** Findings of tools that print one line per remark: compilers, tsc, flake8, mypy, linkers. `tool` is the rule where a line names none. */
export function readLines(output: string, tool: string, place: (path: string) => string | null): Finding[] {
  const found: Finding[] = []
  const seen = new Set<string>()
  const text = output.length > 2 * ENDS ? `${output.slice(0, ENDS)}\n${output.slice(-ENDS)}` : output
  for (const line of text.split(/\r?\n/)) {
    if (line.length > 4000) continue
    const one = parse(line.trimEnd(), tool, place)
    if (!one) continue
    const key = `${one.file}:${one.line}:${one.rule}:${one.message}`
    if (seen.has(key)) continue
    seen.add(key)
    found.push(one)
    if (found.length >= MOST) break
  }
  return found
}
