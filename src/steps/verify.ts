import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { problemOf, ReeveError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'
import type { GateResult, Verdict } from '../core/verdict.ts'
import type { GateEvent } from '../gates/port.ts'
import { gitIn } from '../workspace/git.ts'
import type { Project } from '../workspace/port.ts'
import { openProject } from '../workspace/project.ts'
import { type Card, cardSchema } from './card.ts'
import { judgeClean } from './clean-judge.ts'
import { chainHead, hashOf } from './hash.ts'
import { keepingOf } from './keeping.ts'
import type { Kit } from './kit.ts'
import { optionsOf, type RunRow } from './options.ts'

export interface Verification {
  /** The card is as it was written, the branch holds what the card says, and everything measured again is as recorded. */
  match: boolean
  /** One sentence for each thing that is not as recorded; empty with a match. */
  differences: string[]
  recorded: Verdict | null
  measured: Verdict | null
  commit: string
}

export interface VerifyRequest {
  row: RunRow
  /** Hash of the card as the run's last `evidence.written` event has it; null when there was none. */
  recordedHash: string | null
  signal: AbortSignal
  emit(event: GateEvent): void
}

/** Does a finished run again what its evidence says: all gates and the proof, in a clean clone of its commit. Throws `wrong_state` without a card. */
export async function verifyRun(kit: Kit, request: VerifyRequest): Promise<Verification> {
  const { row } = request
  const card = await readCard(kit, row)
  const project = await openProject(row.project)
  const differences = [...cardDifferences(card, request.recordedHash), ...(await branchDifferences(project, card, row))]
  if (card.verdict === null) {
    throw new ReeveError('wrong_state', {
      run: row.id,
      status: `${row.state} without a verdict`,
      action: 'verify',
      allowed: 'a run whose gates have judged something',
    })
  }

  const options = optionsOf(row)
  const measured = await judgeClean(kit, {
    project,
    keeping: await keepingOf(kit, { project, base: card.base, settings: options.settings }),
    base: card.base,
    commit: card.commit,
    task: row.task,
    settings: options.settings,
    // A run that ended early was judged without the proof; the same is done again.
    depth: card.judged?.depth ?? 'full',
    specs: card.judged?.specs ?? null,
    cacheDir: null,
    signal: request.signal,
    emit: (event) => request.emit(event),
  })
  differences.push(...verdictDifferences(card.verdict, measured))
  return { match: differences.length === 0, differences, recorded: card.verdict, measured, commit: card.commit }
}

async function readCard(kit: Kit, row: RunRow): Promise<Card> {
  const path = join(row.facts.evidence ?? join(kit.evidenceDir, row.id), 'card.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    throw new ReeveError('wrong_state', {
      run: row.id,
      status: row.state,
      action: 'verify',
      allowed: 'a finished run with its evidence card',
    })
  }
  const parsed = cardSchema.safeParse(parseJson(text, path))
  if (!parsed.success)
    throw new ReeveError('invalid_json', { source: path, problem: `not an evidence card: ${problemOf(parsed.error.issues[0]?.message)}` })
  return parsed.data
}

function cardDifferences(card: Card, recordedHash: string | null): string[] {
  const differences: string[] = []
  if (chainHead(card.trail) !== card.chain)
    differences.push('The hash chain of the card does not hold: a claim or a measurement was changed.')
  if (recordedHash === null) differences.push('The run has no record of its card.')
  if (recordedHash !== null && hashOf(card) !== recordedHash) differences.push('The card was changed after the run wrote it.')
  return differences
}

/** The run's branch may be gone, or may have moved on by people's commits; it may not have lost the commit of the card. */
async function branchDifferences(project: Project, card: Card, row: RunRow): Promise<string[]> {
  if (row.state !== 'succeeded') return []
  const exists = await gitIn(project, ['cat-file', '-t', card.commit]).catch(() => '')
  if (exists.trim() !== 'commit') return [`The commit ${card.commit.slice(0, 10)} of the card is not in the repository any more.`]
  const tip = (await gitIn(project, ['for-each-ref', '--format=%(objectname)', `refs/heads/${card.branch}`])).trim()
  if (tip === '' || tip === card.commit) return []
  const base = await gitIn(project, ['merge-base', card.commit, tip]).catch(() => '')
  return base.trim() === card.commit
    ? []
    : [`The branch ${card.branch} is at ${tip.slice(0, 10)} and does not hold the commit ${card.commit.slice(0, 10)} of the card.`]
}

/** What differs between two verdicts, in sentences. Durations and outputs may differ; results may not. */
export function verdictDifferences(recorded: Verdict, measured: Verdict): string[] {
  const differences: string[] = []
  if (recorded.tree !== measured.tree)
    differences.push(`The files differ: recorded tree ${short(recorded.tree)}, now ${short(measured.tree)}.`)
  if (recorded.status !== measured.status) differences.push(`The verdict was ${recorded.status} and is now ${measured.status}.`)
  const names = new Set([...recorded.gates, ...measured.gates].map((it) => it.name))
  for (const name of names) differences.push(...gateDifferences(name, find(recorded, name), find(measured, name)))
  if (recorded.redProof.status !== measured.redProof.status) {
    differences.push(`The red proof was ${recorded.redProof.status} and is now ${measured.redProof.status}: ${measured.redProof.reason}`)
  }
  return differences
}

function gateDifferences(name: string, recorded: GateResult | undefined, measured: GateResult | undefined): string[] {
  if (!recorded || !measured)
    return [`The gate "${name}" was ${recorded?.status ?? 'not there'} and is now ${measured?.status ?? 'not there'}.`]
  if (recorded.status !== measured.status) return [`The gate "${name}" was ${recorded.status} and is now ${measured.status}.`]
  const [then, now] = [recorded.tests, measured.tests]
  if (then === null || now === null || (then.total === now.total && then.passed === now.passed && then.skipped === now.skipped)) return []
  return [`The gate "${name}" had ${then.passed} of ${then.total} tests passed and has now ${now.passed} of ${now.total}.`]
}

function find(verdict: Verdict, name: string): GateResult | undefined {
  return verdict.gates.find((it) => it.name === name)
}

function short(hash: string | null): string {
  return hash?.slice(0, 10) ?? 'unknown'
}
