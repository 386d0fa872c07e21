import { forbiddenBy } from '../agents/tools/file-guard.ts'
import type { Finding, Verdict } from '../core/verdict.ts'
import { introducedFindings } from '../core/verdict.ts'
import { repoMap } from '../scanner/repo-map.ts'
import type { Job } from './job.ts'

/**
 * What agents are told, rendered from the run's state each time: an agent starts with an empty context, and nothing is ever summarised from
 * an earlier conversation. Markdown.
 */

// About a fifth of a small model's window; a map that crowds out the task helps nobody.
const MAP_TOKENS = 3000
const PATCH_BYTES = 60_000
const MAX_FINDINGS = 20
const MAX_MESSAGE = 2000

export interface Part {
  id: string
  title: string
  goal: string
  files: string[]
}

export async function planGoal(job: Job, refusal: string): Promise<string> {
  return sections([
    taskSection(job),
    ['How this repository looks', await map(job, [])],
    [
      'What is wanted now',
      'Plan the work as a list of parts, each small enough for one agent to finish and for the tests to judge. One part is right for a small task. Answer with the JSON object of the schema.',
    ],
    ['Your last plan was refused', refusal],
  ])
}

export async function testsGoal(job: Job, part: Part, note: string, instructions: readonly string[]): Promise<string> {
  return sections([
    taskSection(job),
    partSection(part),
    ['How this repository looks', await map(job, part.files)],
    [
      'What is wanted now',
      'Write the tests that say when this part is done, where this repository keeps its tests and in its style. You may write only test files. The tests must fail now, by an assertion or because what they test is not there yet, and must pass once the part is right. Do not write the implementation.',
    ],
    ['What was wrong with the tests before', note],
    instructionSection(instructions),
  ])
}

export async function implementGoal(
  job: Job,
  part: Part,
  last: { verdict: Verdict; review: string; ended?: string } | null,
  instructions: readonly string[],
): Promise<string> {
  return sections([
    taskSection(job),
    partSection(part),
    ['How this repository looks', await map(job, part.files)],
    ['Tests that you may not change', list(job.specs?.files ?? [])],
    ['What ended the last attempt before it was done', last?.ended ?? ''],
    ['What the gates found in the last attempt', last ? verdictText(last.verdict) : ''],
    ['What the reviewer says about it', last?.review ?? ''],
    ['What is wanted now', last ? mend(job) : wanted(job)],
    instructionSection(instructions),
  ])
}

function mend(job: Job): string {
  const tests = job.specs === null ? '' : '; tests that were changed have been put back'
  return `Mend what the gates found. The files are as the last attempt left them${tests}.`
}

function wanted(job: Job): string {
  const gates = 'The project is built, tested and linted by programs when you stop; only their verdict counts.'
  if (job.specs) return `Change the production code so that this part is done and all tests pass. ${gates}`
  if (job.task.kind === 'docs' || job.task.kind === 'chore' || job.task.kind === 'refactor')
    return `Make the change. Existing tests must stay as they are and pass. ${gates}`
  return `Make the change, with new or changed tests that fail without it and pass with it. ${gates}`
}

export async function reviewGoal(job: Job, part: Part, verdict: Verdict): Promise<string> {
  return sections([
    taskSection(job),
    partSection(part),
    ['The change so far', fence('diff', await job.workspace.patch(undefined, PATCH_BYTES))],
    ['What the gates found', verdictText(verdict)],
    [
      'What is wanted now',
      'Say why these failures happen and what exactly the implementer must change, file by file, in at most twenty lines. Do not repeat the output. You cannot change files.',
    ],
  ])
}

export async function refineGoal(job: Job): Promise<string> {
  return sections([
    taskSection(job),
    ['The change', fence('diff', await job.workspace.patch(undefined, PATCH_BYTES))],
    [
      'What is wanted now',
      'All gates pass. Make the change simpler and clearer without changing what it does: names, duplication, dead code, comments. Change nothing when it is good. Your work is dropped when a gate fails after it.',
    ],
  ])
}

/** What goes back to an agent: the change's own failures and what the proof lacks, never pre-existing or environmental ones. */
export function verdictText(verdict: Verdict): string {
  const tampered = verdict.gates.flatMap((gate) => gate.findings.filter((it) => it.attribution === 'tampered' && it.severity === 'error'))
  const own = [...introducedFindings(verdict), ...tampered]
  const shown = own.slice(0, MAX_FINDINGS).map(findingText)
  const more = own.length > MAX_FINDINGS ? [`- and ${own.length - MAX_FINDINGS} more`] : []
  const silent = verdict.gates
    .filter((gate) => gate.status === 'failed' && gate.findings.length === 0)
    .map(
      (gate) =>
        `- ${gate.name} (${gate.command ?? 'no command'}) failed with exit code ${gate.exitCode ?? 'none'}:\n${fence('', gate.outputTail)}`,
    )
  const proof = verdict.redProof.status === 'refuted' ? [`- proof: ${verdict.redProof.reason}`] : []
  return [verdict.summary, ...shown, ...more, ...silent, ...proof].join('\n')
}

function findingText(finding: Finding): string {
  const place = finding.file === null ? '' : `${finding.file}${finding.line === null ? '' : `:${finding.line}`} `
  const message = finding.message.length > MAX_MESSAGE ? `${finding.message.slice(0, MAX_MESSAGE)} …` : finding.message
  return `- ${place}[${finding.rule}] ${message}`
}

type Section = readonly [title: string, body: string]

function sections(parts: readonly Section[]): string {
  return parts
    .filter(([, body]) => body.trim() !== '')
    .map(([title, body]) => `## ${title}\n\n${body.trim()}`)
    .join('\n\n')
}

function taskSection({ task }: Job): Section {
  const acceptance = task.acceptance.tests?.length ? `\n\nThese commands must succeed:\n${list(task.acceptance.tests)}` : ''
  const context =
    Object.keys(task.context).length > 0 ? `\n\nMore that came with the task:\n${fence('json', JSON.stringify(task.context, null, 2))}` : ''
  const folder = task.target_dir === undefined ? '' : `\n\nWork in the folder \`${task.target_dir}\`.`
  return ['The task', `**${task.title}** (${task.kind})\n\n${task.description}${folder}${acceptance}${context}`]
}

function partSection(part: Part): Section {
  return part.goal === ''
    ? ['', '']
    : [
        'The part you work on',
        `**${part.title}**\n\n${part.goal}${part.files.length > 0 ? `\n\nFiles it is likely to touch:\n${list(part.files)}` : ''}`,
      ]
}

function instructionSection(instructions: readonly string[]): Section {
  return ['Instructions from the person in charge', list(instructions)]
}

function list(items: readonly string[]): string {
  return items.map((it) => `- ${it}`).join('\n')
}

function fence(language: string, text: string): string {
  if (text.trim() === '') return ''
  const ticks = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map((it) => it[0].length + 1)))
  return `${ticks}${language}\n${text.trimEnd()}\n${ticks}`
}

async function map(job: Job, focus: readonly string[]): Promise<string> {
  const forbidden = forbiddenBy(job.settings.files.forbidden)
  return fence(
    '',
    await repoMap(job.workspace, {
      tokens: MAP_TOKENS,
      focus: [...focus],
      query: `${job.task.title} ${job.task.description}`,
      leaveOut: (path) => forbidden(path) !== null,
    }),
  )
}
