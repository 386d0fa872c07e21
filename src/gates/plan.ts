import type { GateResult } from '../core/verdict.ts'
import { GATE_NAMES } from '../core/verdict.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { Checkout } from '../workspace/port.ts'
import type { Bench } from './bench.ts'
import { isAcceptance } from './command-kinds.ts'

export interface GatePlan {
  /** In the order in which they run. */
  commands: readonly DetectedCommand[]
  /** Gates whose command the base does not have: they come from the change. */
  fromChange: ReadonlySet<DetectedCommand>
  /** Gates that the project should have and has not. */
  absent: GateResult[]
}

const FIRST: readonly string[] = ['build', 'types', 'lint', 'tests']

/**
 * Which commands judge. They are those of the base, so that a change cannot choose its own judge: when it touches what detection reads, the
 * base's files are asked. Gates that the base has no command for come from the change.
 */
export async function planGates(bench: Bench, baseCheckout: () => Promise<Checkout>, touched: boolean): Promise<GatePlan> {
  const { checkout, comparison, settings, task, depth } = bench.request
  const options = { settings, acceptance: task.acceptance }
  const here = await bench.parts.detect(checkout, options)
  const fromBase = comparison !== null && touched ? await bench.parts.detect(await baseCheckout(), options) : null
  const known = new Set(fromBase?.map((it) => it.gate))
  const added = fromBase === null ? [] : here.filter((it) => !known.has(it.gate))
  const all = [...(fromBase ?? here), ...added]
  const wanted = depth === 'full' ? all : all.filter((it) => it.gate !== 'coverage')
  return {
    commands: wanted.toSorted((a, b) => rank(a.gate) - rank(b.gate)),
    fromChange: new Set(added),
    absent: GATE_NAMES.filter((name) => (depth === 'full' || name !== 'coverage') && !all.some((it) => it.gate === name)).map((name) =>
      notRun(name, whyAbsent(bench, name)),
    ),
  }
}

function rank(gate: string): number {
  const at = FIRST.indexOf(gate)
  if (at !== -1) return at
  if (isAcceptance(gate)) return FIRST.length
  return gate === 'coverage' ? FIRST.length + 2 : FIRST.length + 1
}

function whyAbsent(bench: Bench, name: string): string {
  const { settings, task } = bench.request
  if (settings.gates[name]?.enabled === false) return `Switched off in reeve.toml: [gates.${name}] enabled = false.`
  if (name === 'lint' && task.acceptance.lint === false) return 'The task does not ask for it.'
  if (name === 'types' && task.acceptance.typecheck === false) return 'The task does not ask for it.'
  return `Nothing in the project says how; set it in reeve.toml: [gates.${name}] command = "...".`
}

/** A gate that did not run, and why. */
export function notRun(name: string, reason: string, command: DetectedCommand | null = null): GateResult {
  return {
    name,
    status: 'not_run',
    command: command?.command ?? null,
    cwd: command?.cwd ?? '.',
    reason,
    durationMs: 0,
    exitCode: null,
    findings: [],
    tests: null,
    base: null,
    outputTail: '',
  }
}
