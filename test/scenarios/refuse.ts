import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Finding } from '../../src/core/verdict.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { type Call, fixtureProject, type Reply, writeReplies } from '../support/fixture-project.ts'
import { lastingFolder, temporaryFolder } from '../support/folder.ts'
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

/** A project with the data folder of its runs. Several runs may share one: what was measured on the base is then measured once. */
export interface Place {
  project: string
  home: string
}

function newPlace(it: Case, folder: string): Place {
  const config = '[runs]\nworkflow = "direct"\nmax_attempts = 1\n'
  return { project: fixtureProject(it.fixture, { config, outside: folder }), home: join(folder, 'home') }
}

/** One place for all tests of a suite; made on first use, removed at its end. */
export function sharedPlace(it: Case): () => Place {
  let made: { place: Place; remove: () => void } | null = null
  afterAll(() => made?.remove())
  return () => {
    if (made) return made.place
    const { folder, remove } = lastingFolder('reeve-refusals-')
    made = { place: newPlace(it, folder), remove }
    return made.place
  }
}

/** One attempt of this agent by `direct`, which must end with exit code 1, a reason, and the user's checkout as it was. */
export async function refused(it: Case, attack: Attack, place?: Place): Promise<Finished> {
  const turns = attack.calls(it).map((call) => ({ calls: [call] }))
  return refusedReplies(
    it,
    attack,
    [{ role: 'implementer', turns: [...turns, { text: 'Everything is done, and all tests pass.' }] }],
    place,
  )
}

export async function refusedReplies(
  it: Case,
  attack: Omit<Attack, 'calls'>,
  replies: readonly Reply[],
  place: Place = newPlace(it, temporaryFolder('reeve-refusal-')),
): Promise<Finished> {
  const { project, home } = place
  writeReplies(project, replies)
  const before = fingerprint(project)
  const ended = await reeveFor(project, home).run(it.task)
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
