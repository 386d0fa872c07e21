import { problemOf } from '../core/errors.ts'
import type { Finding, RedProof } from '../core/verdict.ts'
import { attribute } from './attribution.ts'
import { needsBuild, testCommands } from './command-kinds.ts'
import { failuresOf } from './failures.ts'
import { quoted, RULES, tampered } from './named.ts'
import type { ProofInput } from './red-proof.ts'
import { variantOfBase } from './variant.ts'
import { whyVacuous } from './weakening.ts'

const LOSSES: readonly string[] = [RULES.deleted, RULES.skipped, RULES.weakened, RULES.disappeared]

/**
 * The proof for a change that is not to change behaviour, or only adds tests: none of the base's tests was deleted, skipped or weakened, and
 * where tests were edited, the base's own version of them still passes with the change. `seen` is what is known against the tests already.
 */
export async function keptProof(input: ProofInput, seen: readonly Finding[]): Promise<{ proof: RedProof; findings: Finding[] }> {
  const { kind } = input.bench.request.task
  if (!input.bench.request.comparison) return { proof: conclusion('not_needed', `A ${kind} needs no new tests.`), findings: [] }
  const losses = seen.filter((it) => LOSSES.includes(it.rule) && it.severity === 'error')
  if (losses.length > 0)
    return { proof: conclusion('refuted', `The base's tests did not stay as they were: ${losses[0]?.message ?? ''}`), findings: [] }
  const added = kind === 'test' ? newTests(input) : null
  if (added) return { proof: added, findings: [] }
  const broken = await brokenBaseTests(input)
  if (broken.length > 0) {
    const reason = `${broken.length} ${broken.length === 1 ? 'test' : 'tests'} of the base ${broken.length === 1 ? 'was' : 'were'} edited and ${broken.length === 1 ? 'fails' : 'fail'} in the base's version with this change.`
    return { proof: conclusion('refuted', reason), findings: broken }
  }
  return {
    proof: conclusion('not_needed', `A ${kind} needs no test that was red; none of the base's tests was deleted, skipped or weakened.`),
    findings: [],
  }
}

/** A task for tests must bring some, and not only such as cannot fail. Whether they pass is the tests gate's question. */
function newTests(input: ProofInput): RedProof | null {
  const fresh = input.files.flatMap((file) => [
    ...file.fresh,
    ...file.pairs.filter((it) => it.before.text !== it.after.text).map((it) => it.after),
  ])
  const unread = input.bench.request.comparison?.changes.some((it) => it.status !== 'deleted' && input.bench.isTest(it.path)) ?? false
  if (fresh.length === 0) return unread ? null : conclusion('refuted', 'A test task needs new or changed tests, and there are none.')
  const vacuous = fresh.filter((it) => it.skipped || whyVacuous(it) !== '').map((it) => it.name)
  if (vacuous.length < fresh.length) return null
  return { ...conclusion('refuted', `The new tests cannot fail: ${vacuous.slice(0, 5).map(quoted).join(', ')}.`), vacuous }
}

/** Tests of the base that fail by assertion when only the production files are the change's. */
async function brokenBaseTests(input: ProofInput): Promise<Finding[]> {
  const { bench, base, places } = input
  const changes = bench.request.comparison?.changes ?? []
  const edited = changes.some((it) => it.status !== 'added' && bench.isTest(it.path))
  const production = changes.some((it) => !bench.isTest(it.path))
  if (!edited || !production) return []
  const commands = testCommands(input.runs.filter((it) => it.measurement !== null && it.measurement.cases !== null).map((it) => it.command))
  const found: Finding[] = []
  try {
    for (const command of commands) {
      const scratch = await variantOfBase(bench, (it) => !bench.isTest(it.path) && !input.restored.has(it.path))
      try {
        const builds = !needsBuild(command) ? [] : input.runs.filter((it) => it.command.gate === 'build')
        for (const { command: build } of builds) await bench.measure(build, scratch, 'proof')
        const measurement = await bench.measure(command, scratch, 'proof')
        if (measurement.environmental || measurement.status === 'not_run') continue
        const failures = failuresOf({
          ...measurement,
          cases: measurement.cases?.filter((it) => it.failure !== 'error') ?? null,
          findings: [],
        })
        const attributed = await attribute(
          { blocking: [...failures.tests], tests: failures.tests },
          await base.result(command),
          places,
          command,
        )
        const broken = attributed.filter((it) => it.attribution === 'introduced')
        found.push(
          ...broken.map((it) =>
            tampered(
              RULES.weakened,
              it,
              `The test ${quoted(it.rule)} was edited, and as it stood on the base it fails with this change: ${it.message}`,
            ),
          ),
        )
      } finally {
        await scratch.dispose()
      }
    }
    return found
  } catch (error) {
    bench.request.signal.throwIfAborted()
    return [
      tampered(RULES.weakened, { file: null }, `Whether the base's tests still pass could not be tried: ${problemOf(error)}`, 'warning'),
    ]
  }
}

function conclusion(status: RedProof['status'], reason: string): RedProof {
  return { status, reason, files: [], red: [], vacuous: [] }
}
