import type { RunEvent } from '../../core/event.ts'
import type { RunView } from '../../core/run.ts'

/** What really happened in the demo's run, read from its record alone. */
export interface DemoRecord {
  run: RunView
  events: readonly RunEvent[]
  /** Exit code of the process that was killed: null when a signal ended it. */
  killed: { exitCode: number | null; signal: string | null }
  verify: { exitCode: number | null; text: string }
  /** Whether the user's own branch now holds the change, and its tests pass there. */
  landed: { merged: boolean; testsPass: boolean }
}

export interface Stage {
  name: string
  /** One line that explains the stage and shows its evidence. */
  text: string
  happened: boolean
}

/** The stages of the demo, each proved by the record or not. The demo's exit code is 0 only when all of them happened. */
export function stagesOf(record: DemoRecord): Stage[] {
  const { run, events } = record
  const step = (name: string) => run.steps.find((it) => it.name === name)
  const rejected = events.filter((it) => it.type === 'attempt.rejected')
  const verdicts = events.filter((it) => it.type === 'verdict.reached')
  const red = step('part-1/tests/red')
  const finishedTwice = duplicates(events.filter((it) => it.type === 'step.finished').map((it) => String(it.data['step'])))
  const proof = run.verdict?.redProof
  const tests = run.verdict?.gates.find((it) => it.name === 'tests')

  return [
    stage('plan', step('plan')?.status === 'succeeded', `the architect planned the work: ${step('plan')?.summary ?? 'no plan'}`),
    stage(
      'tests first',
      red !== undefined && verdicts.some((it) => it.data['step'] === 'part-1/tests/red' && it.data['status'] === 'failed'),
      `the spec author wrote tests, and they are red: ${red?.summary ?? 'not run'}`,
    ),
    stage(
      'wrong attempt',
      rejected.length >= 1 && saidDone(events, 'part-1/attempt-1/implement'),
      `the implementer said it was done; the gates said no: ${String(rejected[0]?.data['summary'] ?? 'nothing was rejected')}`,
    ),
    stage(
      'review',
      step('part-1/attempt-1/review')?.status === 'succeeded',
      `the reviewer read the failures: ${step('part-1/attempt-1/review')?.summary ?? 'no review'}`,
    ),
    stage(
      'kill -9',
      record.killed.signal === 'SIGKILL' && events.some((it) => it.type === 'run.interrupted'),
      'reeve itself was killed with SIGKILL in the middle of the second attempt',
    ),
    stage(
      'resumed',
      finishedTwice.length === 0 && gapless(events) && run.status === 'succeeded',
      `it went on from the last finished step; no finished step was repeated, ${events.length} events without a gap`,
    ),
    stage(
      'right attempt',
      step('part-1/attempt-2/gates')?.status === 'succeeded' && tests?.status === 'passed',
      `the second attempt is green: ${tests?.tests ? `${tests.tests.passed} of ${tests.tests.total} tests pass` : 'tests were not run'}`,
    ),
    stage(
      'red proof',
      proof?.status === 'proved' && proof.red.length > 0,
      `without the change ${proof?.red.length ?? 0} of the new tests fail by assertion, with it they pass: ${proof?.status ?? 'not run'}`,
    ),
    stage(
      'evidence',
      record.verify.exitCode === 0 && /\bMATCH\b/.test(record.verify.text) && !/MISMATCH/.test(record.verify.text),
      `reeve verify ran everything again in a clean clone: ${record.verify.text}`,
    ),
    stage(
      'landing',
      record.landed.merged && record.landed.testsPass,
      'the change was merged on request, and the tests pass in your checkout',
    ),
  ]
}

function stage(name: string, happened: boolean, text: string): Stage {
  return { name, happened, text }
}

function saidDone(events: readonly RunEvent[], step: string): boolean {
  return events.some((it) => it.type === 'step.finished' && it.data['step'] === step && it.data['status'] === 'succeeded')
}

function duplicates(names: readonly string[]): string[] {
  return names.filter((it, at) => names.indexOf(it) !== at)
}

function gapless(events: readonly RunEvent[]): boolean {
  return events.length > 0 && events.every((it, at) => it.seq === at + 1)
}
