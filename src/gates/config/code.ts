import { lineChanges } from '../lines.ts'
import { closingAfter, maskSource } from '../outline/mask.ts'
import type { Compared } from './values.ts'
import { compareValues } from './values.ts'

/** Calls and hooks in a runner's configuration that can change what a run says. */
const HOOKS: readonly [RegExp, string][] = [
  [/\b(?:process\.exit|os\._exit|sys\.exit|pytest\.exit|exit)\s*\(/, 'ends the run by itself'],
  [/\bexitstatus\b|\bexitCode\s*=|\bexitcode\s*=/, 'sets the exit code'],
  [
    /\bpytest_(?:collection_modifyitems|ignore_collect|collect_file|pycollect_makeitem|runtest_\w+|pyfunc_call|report_\w+|sessionfinish|deselected|generate_tests)\b/,
    'hooks into collecting or judging tests',
  ],
  [/\bcollect_ignore(?:_glob)?\b/, 'leaves files out'],
  [/\b(?:globalThis|global|window)\s*(?:\.|\[['"])\s*(?:expect|it|test|describe|assert)\b/, 'replaces the test functions'],
  [/\b(?:expect|assert|builtins)\.\w+\s*=[^=]|\bmonkeypatch\b.*assert|\b__builtins__\b/, 'replaces assertions'],
  [/\b(?:passWithNoTests|dangerouslyIgnoreUnhandledErrors|allowOnly|forceExit)\s*:\s*true\b/, 'hides failures'],
  [/\btestNamePattern\s*:/, 'selects tests'],
  [/\bretry\s*:\s*[1-9]|\bretries\s*:\s*[1-9]/, 'repeats failing tests'],
  [/\b(?:pytest\.mark\.(?:skip|xfail)|add_marker|pytest\.skip)\b/, 'skips tests'],
  [/\bsetLevel|disableAllRules|\bignoreErrors\s*:\s*true/, 'hides failures'],
]

/**
 * Compares configuration that is code. It is not run: lists, numbers, switches and rules are read where they are written as literals, and lines
 * that came are searched for what can hide a failure.
 */
export function compareCode(before: string | null, after: string | null, path: string, hides: (item: string) => boolean): Compared {
  if (before === after) return { weaker: [], differs: false }
  const lexis = path.endsWith('.py') ? 'python' : 'js'
  const values = compareValues(before === null ? null : literalsOf(before, lexis), literalsOf(after ?? '', lexis), hides)
  const { added } = lineChanges(stripped(before ?? '', lexis), stripped(after ?? '', lexis))
  const hooks = HOOKS.flatMap(([pattern, what]) => (added.some((it) => pattern.test(it)) ? [what] : []))
  const code = (it: string | null) => stripped(it ?? '', lexis).replaceAll(/\s+/g, '')
  return { weaker: [...values.weaker, ...hooks], differs: code(before) !== code(after) }
}

/** Without comments; strings stay. */
function stripped(text: string, lexis: 'python' | 'js'): string {
  return lexis === 'python'
    ? text.replaceAll(/(^|\s)#.*$/gm, '$1')
    : text.replaceAll(/(^|[\s,;])\/\/.*$/gm, '$1').replaceAll(/\/\*[\s\S]*?\*\//g, '')
}

/** `key: value` pairs with literal values, wherever they stand. Several with one name: their lists are joined. */
function literalsOf(text: string, lexis: 'python' | 'js'): Record<string, unknown> {
  const masked = maskSource(text, lexis)
  const found: Record<string, unknown> = {}
  for (const match of masked.matchAll(/(?:(?<![\w$.])([A-Za-z_$][\w$]*)|(['"])([^'"\n]*)\2)\s*[:=](?!=)\s*/g)) {
    const at = match.index + match[0].length
    const quotedAt = match[2] === undefined ? -1 : match.index + 1
    const key = quotedAt === -1 ? (match[1] ?? '') : text.slice(quotedAt, quotedAt + (match[3]?.length ?? 0))
    const name = isRuleName(key, quotedAt !== -1) ? `rules.${key}` : key
    const value = literalAt(text, masked, at)
    if (value === undefined) continue
    const known = found[name]
    found[name] = Array.isArray(known) && Array.isArray(value) ? [...(known as unknown[]), ...value] : value
  }
  return found
}

function isRuleName(key: string, isQuoted: boolean): boolean {
  return isQuoted && /^[@\w/-]*[-/][@\w/-]*$/.test(key) && !key.includes('*')
}

function literalAt(text: string, masked: string, at: number): unknown {
  const rest = text.slice(at, at + 200)
  const scalar = /^(?:(true|false|True|False)\b|(-?\d+(?:\.\d+)?)\b|(['"])(.*?)\3)/.exec(rest)
  if (scalar?.[1] !== undefined) return scalar[1].toLowerCase() === 'true'
  if (scalar?.[2] !== undefined) return Number(scalar[2])
  if (scalar) return scalar[4] ?? ''
  if (masked[at] !== '[') return undefined
  const inside = text.slice(at, closingAfter(masked, at))
  return [...inside.matchAll(/(['"`])((?:[^'"`\\]|\\.)*?)\1|\/((?:[^/\\\n]|\\.)+)\/|\b(\d+|off|warn|error)\b/g)].map(
    (it) => it[2] ?? it[3] ?? it[4] ?? '',
  )
}
