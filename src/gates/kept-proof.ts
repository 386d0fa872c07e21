import type { Finding, RedProof } from '../core/verdict.ts'
import { brokenBaseTests } from './base-tests.ts'
import { quoted, RULES } from './named.ts'
import type { ProofInput } from './red-proof.ts'
import { testsOfNothing } from './test-proof.ts'
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
  const added = kind === 'test' ? await newTests(input) : null
  if (added?.status === 'refuted') return { proof: added, findings: [] }
  const findings = (await brokenBaseTests(input)).map((it) => it.finding)
  const broken = findings.filter((it) => it.severity === 'error').length
  if (broken > 0) {
    const which = broken === 1 ? '1 test of the base was edited and fails' : `${broken} tests of the base were edited and fail`
    return { proof: conclusion('refuted', `${which} in the base's version with this change.`), findings }
  }
  const kept = conclusion('not_needed', `A ${kind} needs no test that was red; none of the base's tests was deleted, skipped or weakened.`)
  return { proof: { ...kept, vacuous: added?.vacuous ?? [] }, findings }
}

/** A task for tests must bring some, and not only such as cannot fail. Whether they pass is the tests gate's question. */
async function newTests(input: ProofInput): Promise<RedProof | null> {
  const fresh = input.files.flatMap((file) => [
    ...file.fresh,
    ...file.pairs.filter((it) => it.before.text !== it.after.text).map((it) => it.after),
  ])
  const unread = input.bench.request.comparison?.changes.some((it) => it.status !== 'deleted' && input.bench.isTest(it.path)) ?? false
  if (fresh.length === 0) return unread ? null : conclusion('refuted', 'A test task needs new or changed tests, and there are none.')
  const vacuous = fresh.filter((it) => it.skipped || whyVacuous(it) !== '').map((it) => it.name)
  if (vacuous.length === fresh.length) return refuted('The new tests cannot fail', vacuous)
  const nothing = await testsOfNothing(input)
  if (nothing.length >= fresh.length) return refuted('The new tests pass without any production code, so they test nothing', nothing)
  return { ...conclusion('not_needed', ''), vacuous: nothing }
}

function refuted(reason: string, vacuous: string[]): RedProof {
  return { ...conclusion('refuted', `${reason}: ${vacuous.slice(0, 5).map(quoted).join(', ')}.`), vacuous }
}

function conclusion(status: RedProof['status'], reason: string): RedProof {
  return { status, reason, files: [], red: [], vacuous: [] }
}
