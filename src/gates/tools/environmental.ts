import type { ProgramResult } from '../../process/port.ts'
import type { TestCase } from '../port.ts'

/** Signs that the machine, not the project, is at fault; each with its sentence. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/\bENOSPC\b|No space left on device|Disk quota exceeded/, 'The disk is full.'],
  [
    /\bENOTFOUND\b|\bEAI_AGAIN\b|Could not resolve host|Temporary failure in name resolution|Name or service not known/,
    'A name could not be resolved: in a sandbox the programs of a run have no network.',
  ],
  [
    /\bENETUNREACH\b|Network is unreachable|\bETIMEDOUT\b.*(?:fetch|registry)|Could not transfer artifact|Unable to download/,
    'The network could not be reached: in a sandbox the programs of a run have none.',
  ],
  [/\bEADDRINUSE\b|Address already in use/, 'A port that is needed is in use already.'],
  [/\bENOMEM\b|Cannot allocate memory|JavaScript heap out of memory|std::bad_alloc\b.*\bcc1/, 'There was not enough memory.'],
  [/\bEMFILE\b|Too many open files/, 'Too many files are open on this machine.'],
  [
    /No CMAKE_\w+_COMPILER could be found|linker `?\w+`? not found|toolchain '[^']+' is not installed|no C compiler|JAVA_HOME (?:is not|environment)/,
    'A compiler or toolchain is missing.',
  ],
]

/** Lines at the end of the output that may tell why a command that reported nothing broke. */
const LAST_CHARACTERS = 20_000

/** The sentence of the sign, or null. */
export function signOf(text: string): string | null {
  return SIGNS.find(([sign]) => sign.test(text))?.[1] ?? null
}

/**
 * Why a failed command failed for a reason outside the project, or null. A project could print such words itself, so where single tests are
 * known, all failed ones must have broken (not judged) with such a sign; an assertion that did not hold is never environmental.
 */
export function environmentalCause(
  run: Pick<ProgramResult, 'ended' | 'exitCode' | 'signal' | 'stdout' | 'stderr'>,
  cases: readonly TestCase[] | null,
): string | null {
  // What it said when the memory or the space it may use ran out is its own doing; what the base does decides later.
  if (run.ended === 'limit' || run.ended === 'flooded') return null
  if (run.exitCode === 137 || (run.ended === 'signalled' && run.signal === 'SIGKILL'))
    return 'It was killed (SIGKILL), most often because memory ran out.'
  const failed = (cases ?? []).filter((it) => it.status === 'failed')
  if (failed.length > 0) {
    const causes = failed.map((it) => (it.failure === 'error' ? signOf(it.message) : null))
    return causes.every((it) => it !== null) ? (causes[0] ?? null) : null
  }
  if (cases !== null && cases.length > 0) return null
  return signOf(`${run.stdout.slice(-LAST_CHARACTERS)}\n${run.stderr.slice(-LAST_CHARACTERS)}`)
}
