import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import type { Store } from '../../src/store/open.ts'

const WORKER = fileURLToPath(new URL('./engine-worker.ts', import.meta.url))

export interface Worker {
  child: ChildProcess
  /** Exit code, or the name of the signal that ended it. */
  ended: Promise<number | string>
  /** What it wrote to stderr. */
  problem(): string
}

/** Starts `engine-worker.ts`, or another program, on a data folder. Killed when the test is over. */
export function startWorker(folder: string, args: readonly string[], env: Record<string, string> = {}, program = WORKER): Worker {
  const child = spawn(process.execPath, [program, folder, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  let problem = ''
  child.stderr?.on('data', (it: Buffer) => {
    problem += it.toString()
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise<number | string>((resolve) => child.on('close', (code, signal) => resolve(signal ?? code ?? -1)))
  return { child, ended, problem: () => problem }
}

export function effects(folder: string): { run: string; step: string; pid: number }[] {
  const file = join(folder, 'effects.log')
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((it) => it !== '')
  return lines.map((it) => JSON.parse(it) as { run: string; step: string; pid: number })
}

const STEPS = ['s1', 's2', 's3', 'plan', 's4', 's5', 'quota', 's6']

/** What holds for every toy run however often its processes died. Returns how many steps were done again. */
export async function expectWhole(store: Store, run: string, folder: string): Promise<number> {
  const row = await store.getRun(run)
  const events = await store.events(run)
  expect(row, JSON.stringify(events.slice(-5))).toMatchObject({ state: 'succeeded', node: null })
  expect(events.map((it) => it.seq)).toEqual(events.map((_, at) => at + 1))
  expect(events.at(-1)?.type).toBe('run.finished')
  expect(events.filter((it) => it.type === 'run.finished')).toHaveLength(1)
  expect(events.filter((it) => it.type === 'approval.asked')).toHaveLength(1)
  expect((await store.steps(run)).map((it) => it.name)).toEqual(STEPS.toSorted())
  const finished = events.filter((it) => it.type === 'step.finished').map((it) => it.data['step'])
  expect(finished).toEqual(STEPS)
  const started = events.filter((it) => it.type === 'step.started').map((it) => it.data['step'])
  const done = effects(folder).filter((it) => it.run === run)
  for (const step of STEPS.filter((it) => it.startsWith('s'))) {
    const effected = done.filter((it) => it.step === step).length
    expect(effected).toBeGreaterThanOrEqual(1)
    // No effect without an event before it that says so.
    expect(effected).toBeLessThanOrEqual(started.filter((it) => it === step).length)
  }
  const interrupted = events.filter((it) => it.type === 'run.interrupted').length
  const again = done.length - 6
  // Only the step at work when the process died can be done again.
  expect(again).toBeLessThanOrEqual(interrupted)
  return again
}
