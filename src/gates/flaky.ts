import type { Finding } from '../core/verdict.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { Checkout } from '../workspace/port.ts'
import type { Bench } from './bench.ts'
import { COMMAND_FAILED } from './failures.ts'
import type { Measurement } from './port.ts'

// With this many failures it is not chance; once more is enough to see that.
const MANY = 25

/**
 * Which of these failures of a tests gate come and go: they are run again, at most twice. First their files alone; what passes there must
 * also pass in a whole run, because a test that passes only when it is alone is broken by another one, not flaky.
 */
export async function findFlaky(bench: Bench, command: DetectedCommand, at: Checkout, failed: readonly Finding[]): Promise<Set<string>> {
  const names = failed.map((it) => it.rule)
  const files = [...new Set(failed.map((it) => it.file))].filter((it) => it !== null)
  const selectable = failed.every((it) => it.file !== null)
  const first = await bench.measure(command, at, 'change', selectable ? files : undefined)
  const passedFirst = passedIn(first, names)
  if (passedFirst.size > 0) {
    if (!selectable) return passedFirst
    const whole = await bench.measure(command, at, 'change')
    return new Set([...passedIn(whole, names)].filter((it) => passedFirst.has(it)))
  }
  if (names.length > MANY) return new Set()
  return passedIn(await bench.measure(command, at, 'change'), names)
}

function passedIn(measured: Measurement, names: readonly string[]): Set<string> {
  if (measured.environmental || measured.status === 'not_run') return new Set()
  const cases = measured.cases ?? []
  // The name of a test that fails in one place and passes in another is not a pass.
  const failed = new Set(cases.filter((it) => it.status === 'failed').map((it) => it.name))
  const passed = new Set(cases.filter((it) => it.status === 'passed' && !failed.has(it.name)).map((it) => it.name))
  if (measured.status === 'passed') passed.add(COMMAND_FAILED)
  return new Set(names.filter((it) => passed.has(it)))
}
