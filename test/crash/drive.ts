import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { RunEvent } from '../../src/core/event.ts'
import { isFinished, type RunView } from '../../src/core/run.ts'
import { RANGES } from '../scenarios/cases.ts'
import { acts, edit, fixtureProject, type Reply, write, writeReplies } from '../support/fixture-project.ts'
import { processesOfRun } from '../support/processes.ts'
import { type Outcome, type Reeve, reeveFor, textOf, writeTask } from '../support/reeve.ts'
import { git } from '../support/repository.ts'

// A person who has typed this many commands and is still not there has found a bug.
const MAX_COMMANDS = 12
const APPROVE = ['approve', 'last', '--json']

/** What a person does who wants this run to end well and whose machine dies now and then. */
export interface Story {
  plot: Plot
  reeve: Reeve
  project: string
  commands: { args: readonly string[]; outcome: Outcome }[]
  /** Content (as git blobs) that lay in the workspace when a process died. */
  atDeath: { path: string; blob: string }[]
}

/** Called before each command; gives what to add to its environment, and may kill the process some time after it was started. */
export interface Fate {
  env?: Readonly<Record<string, string>>
  killAfterMs?: number
}

/** How the run of a story goes. */
export interface Plot {
  /** Begins with an attempt that the gates reject. */
  wrongFirst: boolean
}

/**
 * A run that passes every kind of step: attempts, a refinement that is dropped (so that work is kept and files are put back), evidence, an
 * approval, and a landing by merge.
 */
function eventfulProject(plot: Plot): string {
  const config = '[runs]\nworkflow = "direct"\nautonomy = "supervised"\nland = "merge"\nrefine = true\n'
  return fixtureProject('node-test', { replies: repliesAfter(0, plot), config })
}

/** What the agents write; another text after each death, as with a real model, so that what the dead one wrote is seen to be kept. */
function repliesAfter(deaths: number, { wrongFirst }: Plot): Reply[] {
  const { right, wrong, tests } = RANGES
  const undo = edit('src/ranges.js', String(wrong.input['new']), String(wrong.input['old']))
  const written = write(RANGES.testFile, `// Written after ${deaths} deaths.\n${String(tests.input['content'])}`)
  const notes = write('notes.md', `Thought of after ${deaths} deaths.\n`)
  const refiner = { role: 'refiner', turns: acts(edit('src/ranges.js', 'merged.push([first, last])', `merged.push([first]) // ${deaths}`)) }
  if (!wrongFirst) return [{ role: 'implementer', turns: acts(written, ...right, notes) }, refiner]
  return [
    { role: 'implementer', attempt: 1, turns: acts(written, wrong) },
    { role: 'implementer', attempt: 2, turns: acts(undo, ...right, notes) },
    refiner,
  ]
}

/** Runs, resumes and approves until the run has ended. `fate` decides about each command (numbered from 0, with the deaths so far). */
export async function live(plot: Plot, fate: (command: number, deaths: number) => Fate): Promise<Story> {
  const project = eventfulProject(plot)
  const story: Story = { plot, reeve: reeveFor(project), project, commands: [], atDeath: [] }
  const file = writeTask(story.reeve.home, RANGES.task)
  for (let number = 0; number < MAX_COMMANDS; number++) {
    const args = await nextCommand(story, file)
    if (args === null) return story
    await perform(story, args, fate(number, deathsOf(story)))
  }
  throw new Error(`It has not ended after ${MAX_COMMANDS} commands:\n${told(story)}`)
}

export function deathsOf(story: Story): number {
  return story.commands.filter((it) => it.outcome.signal === 'SIGKILL').length
}

/** What a person types next: after a normal end the exit code says it, after a death they have to look. */
async function nextCommand({ reeve, commands }: Story, file: string): Promise<string[] | null> {
  const run = ['run', '--file', file, '--json']
  const last = commands.at(-1)?.outcome
  if (!last) return run
  if (last.exitCode === 0) return null
  if (last.exitCode === 5) return APPROVE
  const seen = await reeve(['show', 'last', '--json'])
  if (seen.exitCode === 4) return run
  expect(seen.exitCode, `show must work after a crash:\n${seen.text}`).toBe(0)
  const { status, reason } = JSON.parse(seen.stdout) as RunView
  if (isFinished(status)) return null
  return status === 'waiting' && reason === 'approval' ? APPROVE : ['resume', 'last', '--json']
}

async function perform(story: Story, args: readonly string[], { env, killAfterMs }: Fate): Promise<void> {
  const started = story.reeve.start(args, env ? { env } : {})
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => started.child.kill('SIGKILL'), killAfterMs)
  const outcome = await started.ended
  clearTimeout(timer)
  story.commands.push({ args, outcome })
  if (outcome.signal !== 'SIGKILL') return
  story.atDeath.push(...workspaceBlobs(story.reeve.home))
  writeReplies(story.project, repliesAfter(deathsOf(story), story.plot))
}

/** Everything in the run's worktree that git would not ignore, by content. */
function workspaceBlobs(home: string): { path: string; blob: string }[] {
  const runs = join(home, 'reeve/data/runs')
  if (!existsSync(runs)) return []
  return readdirSync(runs).flatMap((run) => {
    const tree = join(runs, run, 'tree')
    return existsSync(tree) ? filesBelow(tree, '').map((path) => ({ path, blob: blobOf(join(tree, path)) })) : []
  })
}

function filesBelow(root: string, below: string): string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((it) => {
    if (it.name === '.git' || it.name === 'node_modules') return []
    const path = below === '' ? it.name : `${below}/${it.name}`
    return it.isDirectory() ? filesBelow(root, path) : [path]
  })
}

function blobOf(path: string): string {
  const content = lstatSync(path).isSymbolicLink() ? Buffer.from(readlinkSync(path)) : readFileSync(path)
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
}

/** Everything that must hold at the end, however often it died. */
export async function expectAllWell(story: Story): Promise<void> {
  const { reeve, project } = story
  const run = await reeve.show()
  const events = await reeve.events()
  const what = told(story)
  expect(run.status, what).toBe('succeeded')
  expect(run.verdict?.redProof.status, what).toBe('proved')
  expect(
    events.map((it) => it.seq),
    `events without a gap\n${what}`,
  ).toEqual(events.map((_, at) => at + 1))
  expect(repeatedAfterFinish(events), `finished steps that were begun again\n${what}`).toEqual([])
  expect(unreachable(project, story.atDeath), `content that no ref reaches\n${what}`).toEqual([])
  expect(processesOfRun(run.id), `processes left behind\n${what}`).toEqual([])
  expect(git(project, 'show', `${run.commit}:src/ranges.js`)).toContain('first <= before[1] + 1)')
}

/** Names of steps that were started or finished again after they had been finished. */
function repeatedAfterFinish(events: readonly RunEvent[]): string[] {
  const done = new Set<string>()
  return events.flatMap((it) => {
    const step = textOf(it.data['step'])
    if (it.type === 'step.started' && done.has(step)) return [`${step} at ${it.seq}`]
    if (it.type !== 'step.finished') return []
    const again = done.has(step) ? [`${step} at ${it.seq}`] : []
    done.add(step)
    return again
  })
}

function unreachable(project: string, blobs: Story['atDeath']): string[] {
  const objects = execFileSync('git', ['rev-list', '--all', '--objects'], { cwd: project, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  const known = new Set(objects.split('\n').map((it) => it.split(' ')[0]))
  return blobs.filter((it) => !known.has(it.blob)).map((it) => `${it.path} ${it.blob}`)
}

function told(story: Story): string {
  return story.commands
    .map(({ args, outcome }) => `$ reeve ${args.join(' ')}\n-> ${outcome.exitCode ?? outcome.signal}\n${outcome.text.slice(-1500)}`)
    .join('\n')
}
