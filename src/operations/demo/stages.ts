import type { RunEvent } from '../../core/event.ts'
import type { RunView } from '../../core/run.ts'
import type { ProgramResult } from '../../process/port.ts'

export interface Stage {
  name: string
  /** Proved by the run's record, not by what a command said. */
  happened: boolean
  /** One line that explains the stage and shows its evidence. */
  text: string
}

/** A run's record as `reeve show` and `reeve logs` give it. */
export interface Recorded {
  run: RunView
  events: readonly RunEvent[]
}

/** The run's record must name the level that this machine was measured to have. */
export function isolationStage({ run }: Recorded, level: string): Stage {
  return stage('isolation', run.isolation === level, `programs of the run are held at ${run.isolation}, as its record says`)
}

/** What must have happened by the time the process was killed. */
export function stagesBeforeTheKill({ run, events }: Recorded, killed: Pick<ProgramResult, 'signal'>): Stage[] {
  const step = (name: string) => run.steps.find((it) => it.name === name)
  const red = events.find((it) => it.type === 'verdict.reached' && it.data['step'] === 'part-1/tests/red')
  const rejected = events.find((it) => it.type === 'attempt.rejected')
  const review = step('part-1/attempt-1/review')
  return [
    stage('plan', step('plan')?.status === 'succeeded', `the architect planned the work: ${step('plan')?.summary ?? 'no plan'}`),
    stage(
      'tests first',
      red?.data['status'] === 'failed',
      `the spec author wrote tests, and they fail as they must: ${textOf(red, 'summary') ?? 'not run'}`,
    ),
    stage(
      'wrong attempt',
      rejected !== undefined && step('part-1/attempt-1/implement')?.status === 'succeeded',
      `the implementer said "${step('part-1/attempt-1/implement')?.summary ?? ''}" and the gates said no: ${textOf(rejected, 'summary') ?? 'nothing was rejected'}`,
    ),
    stage('review', review?.status === 'succeeded', `the reviewer read the failures: ${review?.summary ?? 'no review'}`),
    stage('kill -9', killed.signal === 'SIGKILL', 'reeve itself was killed in the middle of the second attempt'),
  ]
}

/** What must have happened when the run was gone on with. */
export function stagesAfterTheKill({ run, events }: Recorded): Stage[] {
  const step = (name: string) => run.steps.find((it) => it.name === name)
  const twice = duplicates(events.filter((it) => it.type === 'step.finished').map((it) => textOf(it, 'step') ?? ''))
  const tests = run.verdict?.gates.find((it) => it.name === 'tests')
  const proof = run.verdict?.redProof
  const counts = tests?.tests ? `${tests.tests.passed} of ${tests.tests.total} tests pass` : 'tests were not run'
  return [
    stage(
      'resumed',
      events.some((it) => it.type === 'run.interrupted') && twice.length === 0 && gapless(events) && run.status === 'succeeded',
      `it went on from the last finished step: none was repeated, ${events.length} events without a gap`,
    ),
    stage(
      'right attempt',
      step('part-1/attempt-2/gates')?.status === 'succeeded' && tests?.status === 'passed',
      `the second attempt is green: ${counts}`,
    ),
    stage(
      'red proof',
      proof?.status === 'proved' && proof.red.length > 0,
      `without the change ${proof?.red.length ?? 0} new tests fail, with it they pass: ${proof?.status ?? 'not run'}`,
    ),
  ]
}

export function verifyStage(verify: Pick<ProgramResult, 'exitCode' | 'stdout'>): Stage {
  const text = verify.stdout.trim().split('\n').at(-1) ?? ''
  return stage(
    'evidence',
    verify.exitCode === 0 && /\bMATCH\b/.test(text) && !text.includes('MISMATCH'),
    `everything was run again in a clean clone: ${text}`,
  )
}

export function landStage(merged: boolean, testsPass: boolean): Stage {
  return stage('landing', merged && testsPass, 'the change was merged because you said so, and the tests pass in your checkout')
}

function textOf(event: RunEvent | undefined, key: string): string | null {
  const value = event?.data[key]
  return typeof value === 'string' ? value : null
}

function stage(name: string, happened: boolean, text: string): Stage {
  return { name, happened, text }
}

function duplicates(names: readonly string[]): string[] {
  return names.filter((it, at) => names.indexOf(it) !== at)
}

function gapless(events: readonly RunEvent[]): boolean {
  return events.length > 0 && events.every((it, at) => it.seq === at + 1)
}
