import type { TestOutline } from './outline/test-outline.ts'
import type { Measurement, TestCase } from './port.ts'
import type { FileTests } from './test-pairs.ts'
import { whyVacuous } from './weakening.ts'

export interface ProofCases {
  /** Fails by assertion, or by an error inside the test, without the change. */
  red: string[]
  /** Fails there because what the change adds is missing. */
  missing: string[]
  /** Passes there too. */
  vacuous: string[]
  /** Does not pass with the change, or is skipped, so it proves nothing yet. */
  notGreen: string[]
  /** Did not run without the change, for a reason that has nothing to do with it. */
  unclear: string[]
}

export interface ProofRuns {
  change: readonly TestCase[]
  proof: Measurement
  /** Names that ran on the base, null when nobody knows. */
  base: ReadonlySet<string> | null
  files: readonly FileTests[]
  /** Test files of the change that are judged. */
  judged: ReadonlySet<string>
  /** Words that the change brings: names of things and files. */
  brought: ReadonlySet<string>
}

const MISSING =
  /cannot find (?:module|package|function|value|type|name|symbol|struct|macro|crate|trait|method)|can't find|failed to (?:resolve|load|import)|could not (?:resolve|find|import|be resolved|be found)|does not (?:provide an export|exist)|is not (?:a function|a constructor|defined|exported|declared)|has no (?:exported member|attribute|member|field|method)|no (?:module named|such file|method named|field|function|associated item|member named|matching function|known conversion|template named)|importerror|modulenotfounderror|nameerror|attributeerror|cannot import|undefined (?:reference|symbol|method|function|variable|local)|undefined:|undefinedfunctionerror|uninitialized constant|nomethoderror|unresolved (?:import|reference|name)|was not declared|not declared|not found in|cannot resolve|unexpected keyword|takes \d+ (?:positional )?argument|too (?:many|few) arguments|unknown (?:field|type|module)|cannot load such file|module .* is not available|referenceerror|is not a member of|has not been declared|does not name a type|undeclared|unknown type name|implicit declaration|cannot find symbol|not in scope|is not recognized|no implicit conversion/i
// A broken machine is no proof.
const OUTSIDE =
  /\b(?:ENOENT|EACCES|ENOSPC|EMFILE|ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EADDRINUSE)\b|no space left|permission denied|connection refused|out of memory/i

/** Sorts the new and changed tests by what they do without the change. */
export function sortCases(runs: ProofRuns): ProofCases {
  const sorted: ProofCases = { red: [], missing: [], vacuous: [], notGreen: [], unclear: [] }
  const there = new Map<string, TestCase>()
  for (const it of runs.proof.cases ?? []) if (there.get(it.name)?.status !== 'failed') there.set(it.name, it)

  for (const it of unique(runs.change.filter((one) => isCandidate(one, runs)))) {
    if (it.status !== 'passed') {
      sorted.notGreen.push(it.name)
      continue
    }
    sorted[cannotFail(it, runs) ? 'vacuous' : kindOf(it, there.get(it.name), runs)].push(it.name)
  }
  return sorted
}

/** A test that only loads what is new, and then asserts nothing, is red without the change and still proves nothing. */
function cannotFail(it: TestCase, runs: ProofRuns): boolean {
  const outlines = runs.files.filter((one) => runs.judged.has(one.path) && (it.file === null || sameFile(it.file, one.path)))
  const written = outlines
    .flatMap((one) => [...one.fresh, ...one.pairs.map(({ after }) => after)])
    .filter((one) => nameFits(one.title, it.name))
  return written.length > 0 && written.every((one) => whyVacuous(one) !== '')
}

function kindOf(it: TestCase, without: TestCase | undefined, runs: ProofRuns): 'red' | 'missing' | 'vacuous' | 'unclear' {
  if (without?.status === 'passed') return 'vacuous'
  if (without?.status === 'failed') return failureKind(without, runs.brought)
  // Its file broke before the test could begin, so the report names the file, or nothing but the output does.
  return breakages(it, runs).some((message) => namesMissing(message, runs.brought)) ? 'missing' : 'unclear'
}

function failureKind(it: TestCase, brought: ReadonlySet<string>): 'red' | 'missing' | 'unclear' {
  if (it.failure === 'assertion') return 'red'
  if (namesMissing(it.message, brought)) return 'missing'
  if (MISSING.test(it.message) || OUTSIDE.test(it.message)) return 'unclear'
  // The test itself ran and what it calls threw: the crash that the change mends.
  return 'red'
}

/** Whether a message says that something is missing, and names what the change brings. */
export function namesMissing(message: string, brought: ReadonlySet<string>): boolean {
  if (!MISSING.test(message)) return false
  return (message.match(/[A-Za-z_$][\w$-]*/g) ?? []).some((word) => brought.has(word))
}

function breakages(it: TestCase, runs: ProofRuns): string[] {
  const { proof } = runs
  const sameFile = (file: string | null) =>
    file === null || it.file === null || file === it.file || it.file.endsWith(file) || file.endsWith(it.file)
  const cases = (proof.cases ?? [])
    .filter((one) => one.status === 'failed' && one.failure === 'error' && sameFile(one.file))
    .map((one) => one.message)
  const findings = proof.findings.filter((one) => one.severity === 'error').map((one) => one.message)
  const whole =
    proof.status === 'failed' && (proof.cases === null || proof.cases.length === 0 || cases.length > 0) ? [proof.outputTail] : []
  return [...cases, ...findings, ...whole]
}

/** New and changed tests of the judged files; those that stand there as before prove nothing and need not. */
function isCandidate(it: TestCase, runs: ProofRuns): boolean {
  const file = it.file ?? fileOfName(it.name, runs.judged)
  const outlines = runs.files.filter((one) => runs.judged.has(one.path) && (file === null || sameFile(file, one.path)))
  if (file !== null && ![...runs.judged].some((one) => sameFile(file, one))) return false
  const named = (one: TestOutline) => nameFits(one.title, it.name)
  if (outlines.some((one) => one.fresh.some(named))) return true
  const pairs = outlines.flatMap((one) => one.pairs.filter(({ after }) => named(after)))
  if (pairs.length > 0) return pairs.some(({ before, after }) => before.text !== after.text)
  // Reading did not find it: then the base's run says whether it is new.
  return runs.base === null ? file !== null : !runs.base.has(it.name)
}

function fileOfName(name: string, judged: ReadonlySet<string>): string | null {
  const first = name.split(' > ')[0] ?? ''
  return [...judged].find((it) => sameFile(first, it)) ?? null
}

function sameFile(reported: string, path: string): boolean {
  return reported === path || path.endsWith(`/${reported}`) || reported.endsWith(`/${path}`)
}

/** Whether a reported test comes from a written one: by its last title, or, for tests that make others inside (Go, node:test), by one before. */
export function nameFits(written: string, name: string): boolean {
  const parts = name.split(' > ')
  return titleFits(written, parts.at(-1) ?? name) || parts.slice(1, -1).includes(written)
}

/** Whether a reported title comes from a written one, which may hold placeholders or be the head of parametrised names. */
function titleFits(written: string, reported: string): boolean {
  if (written === reported) return true
  const bare = reported
    .replace(/\[.*\]$/s, '')
    .replace(/\(\)$/, '')
    .replace(/\/\d+$/, '')
  if (written === bare || written === `${bare.split('/').at(-1)}` || bare.split(/[.:]+/).at(-1) === written) return true
  return /[%$#{]/.test(written) && fitsPattern(written.split(/%[sdifjop#c%]|\$\{?[\w.]+\}?|#\{[^}]*\}|\{[^}]*\}/), reported)
}

/** Whether a text consists of these parts in their order with anything between them. No regular expression: titles come from the change. */
function fitsPattern(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop() ?? ''
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}

function unique(cases: readonly TestCase[]): TestCase[] {
  const byName = new Map<string, TestCase>()
  for (const it of cases) {
    const known = byName.get(it.name)
    // One of several with this name that fails makes them all not green.
    if (!known || it.status === 'failed' || known.status === 'skipped') byName.set(it.name, it)
  }
  return [...byName.values()]
}
