import { weakerCommand } from './command-line.ts'

type Value = unknown

/** Configuration as flat keys: `compilerOptions.strict` -> true. Arrays stay whole, because their items have no names. */
export function flatten(value: Value, prefix = ''): Map<string, Value> {
  const flat = new Map<string, Value>()
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    if (prefix !== '') flat.set(prefix, value)
    return flat
  }
  for (const [key, it] of Object.entries(value)) {
    for (const [path, leaf] of flatten(it, prefix === '' ? key : `${prefix}.${key}`)) flat.set(path, leaf)
  }
  return flat
}

const THRESHOLD =
  /(?:^|[.-_])(?:thresholds?\b.*|branches|functions|lines|statements|fail[_-]under|check-coverage|perFile|min(?:imum)?[_-]?coverage)$/i
const STRICT =
  /(?:^|\.)(?:strict\w*|noImplicit\w*|noUnused\w*|noUnchecked\w*|noFallthrough\w*|noPropertyAccess\w*|exactOptional\w*|alwaysStrict|useUnknownInCatchVariables|allowUnreachableCode_off|checkJs|isolatedDeclarations|verbatimModuleSyntax|disallow_\w+|warn_\w+|check_untyped_defs|no_implicit_optional|extra_checks|strict_\w+|reportMissing\w*|report[A-Z]\w*|xfail_strict|forbidOnly|errorOnDeprecated|reportUnusedDisableDirectives|denyWarnings|warnings[_-]as[_-]errors|failOn\w+|branch)$/
const LAX =
  /(?:^|\.)(?:skipLibCheck|noCheck|noErrorTruncation_off|allowJs_off|passWithNoTests|pass-with-no-tests|allowOnly|dangerouslyIgnoreUnhandledErrors|ignore_missing_imports|ignore_errors|allow_untyped_\w+|allow_redefinition|exit-zero|ignoreFailures|bail_off|skip|disabled|root_off|suppress\w*|forceExit|detectOpenHandles_off)$/
const LEFT_OUT =
  /(?:^|[.\-_])(?:exclude\w*|extend-exclude|force-exclude|ignore|ignores|ignore[_-]?(?:patterns|paths|glob|errors)?|ignorePatterns|extend-ignore|\w*IgnorePatterns|\w*PathIgnore\w*|omit|norecursedirs|collect_ignore\w*|exclude_(?:lines|also)|deselect|disable|disable_error_code|per-file-ignores(?:\..*)?|unfixable_off|overrides_off)$/i
const LET_IN =
  /(?:^|[.\-_])(?:include\w*|files|testMatch|testRegex|testpaths|roots|projects|python_(?:files|classes|functions)|source|select|extend-select|enable\w*|fixable_off|members|spec|extends|plugins|collectCoverageFrom|references)$/i
const SELECTS = /(?:^|\.)(?:f?grep|testNamePattern|testPathPatterns?)$/
const COMMAND_LINE =
  /(?:^|\.)(?:addopts|commands?|cmd|test-command|script|scripts?\.\w+|args|PYTEST_ADDOPTS|node-option|nodeArguments|require_off)$/
const RULE = /(?:^|\.)(?:rules|linter\.rules|categories)\b/
// Nobody wants these judged.
const BENIGN =
  /node_modules|^\*?\*?\/?(?:dist|build|out|coverage|vendor|target|\.\w[\w-]*|venv|env|__pycache__|site-packages|third_party|generated|public|\*\.d\.ts|\*\.min\.js)\/?(?:\*\*?)?$/i

export interface Compared {
  /** Sentences: how the new configuration judges less. */
  weaker: string[]
  /** Something in the configuration differs at all. */
  differs: boolean
}

/**
 * Compares two configurations key by key. `hides(item)` says whether an item of an ignore list hits files that were judged on the base: it
 * decides about lists in files that are new, where every list is new.
 */
export function compareValues(before: Value, after: Value, hides: (item: string) => boolean): Compared {
  const old = flatten(before)
  const now = flatten(after)
  const fresh = before === null || before === undefined
  const keys = new Set([...old.keys(), ...now.keys()])
  const weaker: string[] = []
  let differs = false
  for (const key of keys) {
    const [a, b] = [old.get(key), now.get(key)]
    if (JSON.stringify(a) === JSON.stringify(b)) continue
    differs = true
    const why = weakerValue(key, a, b, fresh, hides)
    if (why !== null) weaker.push(why)
  }
  return { weaker, differs }
}

function weakerValue(key: string, before: Value, after: Value, fresh: boolean, hides: (item: string) => boolean): string | null {
  if (RULE.test(key)) return fresh ? null : weakerRule(key, before, after)
  if (THRESHOLD.test(key)) return weakerThreshold(key, before, after)
  if (COMMAND_LINE.test(key) && typeof asLine(before) === 'string' && typeof asLine(after) === 'string' && !fresh) {
    const why = weakerCommand(asLine(before) ?? '', asLine(after) ?? '')
    if (why !== null) return `"${key}" ${why}`
  }
  if (STRICT.test(key) && isOn(before) && !isOn(after)) return `"${key}" was switched off`
  if (LAX.test(key) && !isOn(before) && isOn(after) && !fresh) return `"${key}" was switched on`
  if (LEFT_OUT.test(key)) {
    const added = listOf(after).filter((it) => !listOf(before).includes(it) && (hides(it) || (!fresh && !BENIGN.test(it))))
    if (added.length > 0) return `"${key}" now leaves out ${added.join(', ')}`
  }
  if (SELECTS.test(key) && listOf(after).some((it) => it !== '')) return `"${key}" selects tests by name`
  if (LET_IN.test(key) && !fresh && before !== undefined) {
    const lost = listOf(before).filter((it) => !listOf(after).includes(it))
    if (lost.length > 0 && (after !== undefined || /select|extends|plugins|enable|test/i.test(key)))
      return `"${key}" no longer has ${lost.join(', ')}`
  }
  return null
}

const SEVERITIES: Readonly<Record<string, number>> = {
  off: 0,
  '0': 0,
  allow: 0,
  false: 0,
  info: 1,
  warn: 1,
  warning: 1,
  '1': 1,
  on: 2,
  error: 2,
  deny: 2,
  true: 2,
  '2': 2,
}

function weakerRule(key: string, before: Value, after: Value): string | null {
  if (key.endsWith('.enabled')) return isOn(before) && !isOn(after) ? `"${key}" was switched off` : null
  const [a, b] = [severityOf(before), severityOf(after)]
  const name = key.replace(/^.*?rules\./, '').replace(/\.level$/, '')
  if (after === undefined && a !== null && a > 0) return `the rule "${name}" was removed`
  return a !== null && b !== null && b < a
    ? `the rule "${name}" was turned down`
    : a === null && before === undefined && b === 0
      ? `the rule "${name}" was switched off`
      : null
}

function severityOf(value: Value): number | null {
  const first: unknown = Array.isArray(value) ? value[0] : value
  return typeof first === 'string' || typeof first === 'number' || typeof first === 'boolean' ? (SEVERITIES[String(first)] ?? null) : null
}

function weakerThreshold(key: string, before: Value, after: Value): string | null {
  const [a, b] = [Number(before), Number(after)]
  if (before === undefined || Number.isNaN(a)) return null
  if (after === undefined) return `the threshold "${key}" was removed`
  return !Number.isNaN(b) && b < a ? `the threshold "${key}" was lowered from ${a} to ${b}` : null
}

function isOn(value: Value): boolean {
  return (
    value === true ||
    value === 'true' ||
    value === 'True' ||
    value === 'error' ||
    value === 'on' ||
    value === 1 ||
    value === '1' ||
    value === 'all'
  )
}

function listOf(value: Value): string[] {
  if (Array.isArray(value)) return value.map((it) => (typeof it === 'string' ? it : JSON.stringify(it)))
  if (typeof value === 'string') return value.split(/[\s,]+/).filter(Boolean)
  return []
}

function asLine(value: Value): string | undefined {
  if (typeof value === 'string') return value
  if (value === undefined) return ''
  return Array.isArray(value) && value.every((it) => typeof it === 'string') ? value.join(' ') : undefined
}
