import { ReeveError } from '../../core/errors.ts'
import { timeOf } from '../../core/not-before.ts'
import type { TaskKind } from '../../core/task.ts'
import type { CommandRun, Options } from '../command-spec.ts'
import { type Io, remark, say, sayJson } from '../io.ts'
import { oneLine } from '../text.ts'
import { workOn } from './work.ts'

export const run: CommandRun = async (io, args, options) => {
  const files = (options['file'] as string[] | undefined) ?? []
  const sentence = await sentenceOf(io, args)
  const documents = await Promise.all(files.map(async (name) => ({ name, text: await io.readFile(name) })))
  const client = await io.client()
  const submitted = await client.call('runs.submit', {
    documents,
    ...(sentence === undefined ? {} : { sentence }),
    ...given('kind', options['kind'] as TaskKind | undefined),
    ...given('role', options['role'] as string | undefined),
    ...given('target_dir', options['targetDir'] as string | undefined),
    ...given('key', options['key'] as string | undefined),
    ...given('priority', options['priority'] as number | undefined),
    ...given('at', timeHere(options['at'] as string | undefined)),
    ...given('in', options['in'] as string | undefined),
    ...choicesOf(options),
  })
  return follow(io, submitted, options)
}

type Runs = readonly { id: string; task: { title: string }; workflow: string; notBefore: number | null }[]

// More are counted, not listed.
const LISTED = 10
const SOON_MS = 60_000

/** A time without a zone is one of this terminal, wherever the daemon was started. What is no time, the operation refuses. */
function timeHere(text: string | undefined): string | undefined {
  const ms = text === undefined ? null : timeOf(text)
  return ms === null ? text : new Date(ms).toISOString()
}

/** What comes after a submit: work on it here, or only say what was queued. */
export async function follow(io: Io, submitted: { runs: Runs; warnings: readonly string[] }, options: Options): Promise<number> {
  for (const it of submitted.warnings) remark(io, io.paint('yellow', `warning: ${oneLine(it)}`))
  const { runs } = submitted
  const { resident } = await io.client()
  // Nobody looks on for hours at what has not begun.
  const later = resident && runs.every((it) => it.notBefore !== null && it.notBefore > io.now() + SOON_MS)
  if (options['detach'] !== true && !later)
    return workOn(
      io,
      runs.map((it) => ({ id: it.id, title: it.task.title, workflow: it.workflow })),
    )
  if (io.json) for (const it of runs) sayJson(io, it)
  else for (const line of queuedLines(runs, io.now())) say(io, line)
  if (io.json) return 0
  const [only] = runs
  if (!resident) say(io, io.paint('dim', `Work on ${runs.length === 1 ? 'it' : 'them'} with: reeve resume`))
  else {
    const what = later ? 'begins' : 'works on'
    const look = only && runs.length === 1 ? `it. Watch it with: reeve logs -f ${only.id}` : 'them. See: reeve ls'
    say(io, io.paint('dim', `The daemon ${what} ${look}`))
  }
  return 0
}

function queuedLines(runs: Runs, now: number): string[] {
  const shown = runs.length > LISTED ? runs.slice(0, 3) : runs
  const lines = shown.map(({ id, task, notBefore }) => `${id} is queued${whenOf(notBefore, now)}: ${oneLine(task.title)}`)
  return shown.length === runs.length ? lines : [...lines, `... ${runs.length} runs in all; see them with: reeve queue`]
}

/** A time that is over is none. */
function whenOf(notBefore: number | null, now: number): string {
  return notBefore === null || notBefore <= now ? '' : ` for ${new Date(notBefore).toLocaleString('sv')}`
}

async function sentenceOf(io: Io, args: readonly string[]): Promise<string | undefined> {
  if (args.length === 0) return undefined
  const text = args.length === 1 && args[0] === '-' ? await io.readFile('-') : args.join(' ')
  if (text.trim() === '')
    throw new ReeveError('invalid_input', {
      problem: 'The task is empty. Say what is wanted, for example: reeve run "Add a --json flag to the export command"',
    })
  return text
}

/** The options that override settings, as the operations take them. */
export function choicesOf(options: Options) {
  return {
    ...given('workflow', options['workflow'] as string | undefined),
    ...given('provider', options['provider'] as string | undefined),
    ...given('autonomy', options['autonomy'] as 'manual' | 'supervised' | 'autonomous' | undefined),
    ...given('max_attempts', options['maxAttempts'] as number | undefined),
    ...given('max_usd', options['maxUsd'] as number | undefined),
    ...given('max_tokens', options['maxTokens'] as number | undefined),
    ...given('record', options['record'] as boolean | undefined),
    ...given('base', options['base'] as string | undefined),
    ...given('land', options['land'] as 'none' | 'branch' | 'merge' | 'squash' | undefined),
    ...given('timeout_minutes', options['timeout'] as number | undefined),
    ...given('trust', options['trust'] as boolean | undefined),
    ...acceptedOf(options),
  }
}

/** The level of isolation that the user accepts this time. */
export function acceptedOf(options: Options) {
  const level = options['acceptIsolation'] as 'guarded' | 'os-sandbox' | 'container' | undefined
  return given('accept_isolation', options['iUnderstandNoSandbox'] === true ? ('none' as const) : level)
}

function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
}
