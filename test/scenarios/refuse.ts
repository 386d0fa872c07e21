import { expect } from 'vitest'
import type { Finding } from '../../src/core/verdict.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { type Call, fixtureProject, type Reply } from '../support/fixture-project.ts'
import { processesOfRun } from '../support/processes.ts'
import { type Finished, reeveFor } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import type { Case } from './cases.ts'

/** What an agent does that the gates must not let through, and how the refusal must name it. */
export interface Attack {
  name: string
  calls(it: Case): Call[]
  /** reeve's own rule, or part of the tool's. */
  rule?: RegExp
  attribution?: Finding['attribution']
  /** In the run's message. */
  message?: RegExp
  proof?: 'refuted'
}

/** One attempt of this agent by `direct`, which must end with exit code 1, a reason, and the user's checkout as it was. */
export async function refused(it: Case, attack: Attack): Promise<Finished> {
  const turns = attack.calls(it).map((call) => ({ calls: [call] }))
  return refusedReplies(it, attack, [{ role: 'implementer', turns: [...turns, { text: 'Everything is done, and all tests pass.' }] }])
}

export async function refusedReplies(it: Case, attack: Omit<Attack, 'calls'>, replies: readonly Reply[], config = ''): Promise<Finished> {
  const project = fixtureProject(it.fixture, { replies, config: `[runs]\nworkflow = "direct"\nmax_attempts = 1\n${config}` })
  const before = fingerprint(project)
  const ended = await reeveFor(project).run(it.task)
  const { run } = ended
  const said = ended.text

  expect({ exit: ended.exitCode, status: run.status, reason: run.reason }, said).toEqual({ exit: 1, status: 'failed', reason: 'gates' })
  expect(run.message, 'a reason is given').toBeTruthy()
  if (attack.message) expect(run.message).toMatch(attack.message)
  const rule = attack.rule
  if (rule) {
    const found = findings(ended).filter((finding) => rule.test(finding.rule))
    expect(found.length, `a finding ${rule}\n${said}`).toBeGreaterThan(0)
    if (attack.attribution)
      expect(
        found.map((finding) => finding.attribution),
        said,
      ).toContain(attack.attribution)
  }
  if (attack.proof) expect(run.verdict?.redProof.status, said).toBe(attack.proof)
  expect(fingerprint(project), 'the checkout of the user').toEqual(before)
  expect(git(project, 'rev-parse', run.branch), 'the branch holds nothing that was refused').toBe(run.base)
  expect(processesOfRun(run.id)).toEqual([])
  return ended
}

export function findings({ run }: Finished): Finding[] {
  return run.verdict?.gates.flatMap((gate) => gate.findings) ?? []
}
