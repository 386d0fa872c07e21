import { type ChildProcess, spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { PassThrough } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'
import { ReeveError } from '../core/errors.ts'
import { type OutputCap, outputCap } from './output-cap.ts'
import type { Breach, Launch, ProgramEnd, ProgramResult, ProgramSpec } from './port.ts'
import { askTreeToEnd, killTree, type Mark, newMark, send } from './process-tree.ts'
import { breachSentence, nameOf, seconds } from './sentences.ts'
import type { Starter } from './starter.ts'
import { unconfined } from './unconfined.ts'

const KEEP_BYTES = 1024 * 1024
const FLOOD_BYTES = 256 * 1024 * 1024
// A program that wants to tidy up after TERM has this long.
const GRACE_MS = 500
// After the exit only what is left in the pipes (64 KiB) is still to come; whoever holds them open longer is not waited for.
const DRAIN_MS = 500
// A process in an uninterruptible wait does not even die of KILL; its caller must go on all the same.
const DEATH_MS = 5000
// After a conversation: some programs end when their input does, others wait for a signal.
const PARTING_MS = 500

type Stop = 'timeout' | 'aborted' | 'flooded' | 'limit'

/**
 * Runs a program and says how it ended; see `ProgramSpec`. Throws only for a wrong call (`invalid_input`). When it returns, the program's
 * process group, its descendants and all that carry its mark have been killed, however it ended.
 */
export async function runProgram(spec: ProgramSpec): Promise<ProgramResult> {
  if (starter !== null && isPlain(spec)) return starter.run(spec)
  return runHere(spec)
}

let starter: Starter | null = null

/**
 * From now on this process's own tools (git, cp, rm) are started by another one; null: by this process again. There is one for a process because
 * it is about the process's own memory.
 */
export function startThrough(it: Starter | null): void {
  starter = it
}

/** Nothing but data goes to it and comes back. */
function isPlain({ trusted, talk, onOutput, confinement, signal }: ProgramSpec): boolean {
  // What was stopped before it began is not begun.
  return trusted === true && talk === undefined && onOutput === undefined && confinement === undefined && signal?.aborted !== true
}

async function runHere(spec: ProgramSpec): Promise<ProgramResult> {
  if (!isAbsolute(spec.cwd)) throw new ReeveError('invalid_input', { problem: `The folder "${spec.cwd}" to run in is not absolute.` })
  const began = performance.now()
  const out = { stdout: outputCap(spec.keepBytes ?? KEEP_BYTES), stderr: outputCap(spec.keepBytes ?? KEEP_BYTES) }
  const measured: Pick<ProgramResult, 'breach' | 'usage'> = { breach: null, usage: null }
  const finish = (ended: ProgramEnd, exitCode: number | null, signal: string | null, problem: string): ProgramResult => ({
    ended,
    exitCode,
    signal,
    stdout: out.stdout.text(),
    stderr: out.stderr.text(),
    dropped: out.stdout.dropped() + out.stderr.dropped(),
    durationMs: Math.round(performance.now() - began),
    problem,
    ...measured,
  })
  if (spec.signal?.aborted) return finish('aborted', null, null, `${nameOf(spec)} was not started: the work was stopped.`)

  const mark = newMark(spec.run)
  const launch = await (spec.confinement ?? unconfined).launch(spec)
  const started = await start(spec, launch, mark)
  if ('problem' in started) {
    await launch.end()
    return finish(started.ended, null, null, started.problem)
  }
  const { child, pid } = started
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
  })

  const stopped = stopper(spec)
  let seen: Breach | null = null
  launch.started(child, (breach) => {
    seen = breach
    stopped.limit()
  })
  collect(child, spec, out, stopped.flooded)
  const talked = spec.talk === undefined ? null : converse(child, spec.talk)
  const parted = talked?.then(() => Promise.race([exit, delay(PARTING_MS, null, { ref: false })]))
  const first = await Promise.race([exit, stopped.promise, ...(parted === undefined ? [] : [parted])])
  stopped.dispose()
  const end = first ?? (await endTree(pid, launch, mark, exit))
  if (!launch.diesWhole && (spec.trusted !== true || first === null)) await killTree(pid, mark)
  const { usage, breach, failure } = await launch.end()
  await Promise.race([Promise.all([closed, talked]), delay(DRAIN_MS, undefined, { ref: false })])
  child.stdout?.destroy()
  child.stderr?.destroy()
  child.stdin?.destroy()

  const stop = first ? null : stopped.reason()
  measured.usage = usage
  measured.breach = stop === 'flooded' ? floodOf(spec, out) : (seen ?? breach)
  if (failure !== null && stop !== 'aborted') {
    return finish('not_started', null, null, `${nameOf(spec)} was not started: ${withLastWords(failure, out.stderr.text())}`)
  }
  // A limit that the kernel holds lets the program fail by itself: it is the limit that ended it all the same.
  const failed = stop !== null || (first !== null && (first.signal !== null || first.code !== 0))
  if (measured.breach !== null && stop !== 'flooded' && failed) {
    return finish('limit', null, end?.signal ?? null, breachSentence(nameOf(spec), measured.breach))
  }
  // What it was started for was done: how it had to be ended says nothing.
  if (first === null && stop === null) return finish('exited', null, end?.signal ?? null, '')
  if (stop !== null) return finish(stop, null, end?.signal ?? null, stopSentence(stop, spec))
  if (end?.signal) return finish('signalled', null, end.signal, `${nameOf(spec)} was ended by ${end.signal}.`)
  const code = end?.code ?? null
  return finish('exited', code, null, code === 0 ? '' : `${nameOf(spec)} ended with exit code ${code}.`)
}

/** What the sandbox said last tells more than that it did not come up. */
function withLastWords(failure: string, said: string): string {
  const last = said.trim().split('\n').at(-1) ?? ''
  return last === '' ? failure : `${failure} (${last.slice(0, 300)})`
}

type Started = { child: ChildProcess; pid: number } | { ended: 'not_found' | 'not_started'; problem: string }

async function start(spec: ProgramSpec, launch: Launch, mark: Mark): Promise<Started> {
  const [program, ...args] = launch.argv
  try {
    const child = spawn(program, args, {
      cwd: launch.cwd,
      env: { ...launch.env, ...mark.env },
      detached: true, // a process group of its own, which can be killed as one
      stdio: [spec.input === undefined && spec.talk === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...launch.descriptors],
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.on('error', () => {}) // a signal that could not be sent: the tree kill looks after that
    return { child, pid: child.pid ?? 0 }
  } catch (error) {
    return await whyNot(spec, error as NodeJS.ErrnoException)
  }
}

async function whyNot(spec: ProgramSpec, error: NodeJS.ErrnoException): Promise<Started> {
  const folder = await stat(spec.cwd).catch(() => null)
  if (!folder?.isDirectory()) return { ended: 'not_started', problem: `${nameOf(spec)} was not started: there is no folder "${spec.cwd}".` }
  if (error.code === 'ENOENT') return { ended: 'not_found', problem: `The program "${spec.argv[0]}" was not found.` }
  const reason = error.code === 'EACCES' ? 'it may not be executed' : error.code === 'E2BIG' ? 'its arguments are too long' : error.message
  return { ended: 'not_started', problem: `${nameOf(spec)} could not be started: ${reason}.` }
}

/** A promise that resolves to null when the program must be stopped; `reason` then says why. */
function stopper(spec: ProgramSpec) {
  const { promise, resolve } = Promise.withResolvers<null>()
  let why: Stop | null = null
  const because = (reason: Stop) => () => {
    why ??= reason
    resolve(null)
  }
  const aborted = because('aborted')
  // Longer timers wrap around in Node and would fire at once.
  const timer = setTimeout(because('timeout'), Math.min(spec.timeoutMs, 2 ** 31 - 1))
  // It may have been aborted while the program was being launched.
  if (spec.signal?.aborted) aborted()
  spec.signal?.addEventListener('abort', aborted, { once: true })
  return {
    promise,
    flooded: because('flooded'),
    limit: because('limit'),
    reason: () => why,
    dispose() {
      clearTimeout(timer)
      spec.signal?.removeEventListener('abort', aborted)
    },
  }
}

function collect(child: ChildProcess, spec: ProgramSpec, out: Record<'stdout' | 'stderr', OutputCap>, flooded: () => void): void {
  const most = outputLimit(spec)
  for (const stream of ['stdout', 'stderr'] as const) {
    const decoder = new StringDecoder('utf8')
    child[stream]?.on('data', (chunk: Buffer) => {
      out[stream].add(chunk)
      spec.onOutput?.({ stream, text: decoder.write(chunk) })
      if (out.stdout.seen() + out.stderr.seen() > most) flooded()
    })
    child[stream]?.on('error', () => {})
  }
  if (spec.input !== undefined) {
    child.stdin?.on('error', () => {}) // EPIPE: a program need not read its input
    child.stdin?.end(spec.input)
  }
}

/** Never rejects: whoever talks keeps what went wrong. */
async function converse(child: ChildProcess, talk: NonNullable<ProgramSpec['talk']>): Promise<void> {
  const { stdin: input, stdout } = child
  if (!input || !stdout) return
  input.on('error', () => {}) // EPIPE: it has ended
  const output = new PassThrough()
  stdout.pipe(output)
  stdout.once('close', () => output.end())
  await talk({ input, output }).catch(() => undefined)
  input.end()
  output.resume() // what still comes must not hold it up
}

async function endTree(pid: number, launch: Launch, mark: Mark, exit: Promise<{ code: number | null; signal: string | null }>) {
  // Asking first would only kill a sandbox's watcher and so all that is in it.
  if (!launch.diesWhole) await Promise.race([Promise.all([askTreeToEnd(pid, mark), exit]), delay(GRACE_MS)])
  send(-pid, 'SIGKILL')
  // Without a hold on the process: a command that was detached would linger for that long.
  return await Promise.race([exit, delay(DEATH_MS, null, { ref: false })])
}

/** Bytes of output after which a program is killed. */
function outputLimit({ floodBytes, confinement }: ProgramSpec): number {
  const allowed = confinement?.outputBytes
  if (allowed === undefined) return floodBytes ?? FLOOD_BYTES
  return Math.min(floodBytes ?? allowed, allowed)
}

function floodOf(spec: ProgramSpec, out: Record<'stdout' | 'stderr', OutputCap>): Breach {
  const mb = (bytes: number) => Math.round(bytes / 1024 / 1024)
  const peak = mb(out.stdout.seen() + out.stderr.seen())
  return { limit: 'output', allowed: mb(outputLimit(spec)), peak, unit: 'MB', setting: 'sandbox.limits.output_mb' }
}

function stopSentence(stop: Stop, spec: ProgramSpec): string {
  if (stop === 'timeout') return `${nameOf(spec)} was still running after ${seconds(spec.timeoutMs)} and was ended.`
  if (stop === 'aborted') return `${nameOf(spec)} was ended because the work was stopped.`
  return `${nameOf(spec)} was ended: it wrote more than ${Math.round(outputLimit(spec) / 1024 / 1024)} MiB of output.`
}
