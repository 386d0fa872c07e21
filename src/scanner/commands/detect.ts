import type { Settings } from '../../core/settings.ts'
import type { Task } from '../../core/task.ts'
import type { Checkout } from '../../workspace/port.ts'
import type { DetectedCommand } from '../port.ts'
import { detectCmake } from './cmake.ts'
import { detectElixir } from './elixir.ts'
import { acceptedCommands, configuredCommands } from './given.ts'
import { detectGo } from './go.ts'
import { detectJava } from './java.ts'
import { detectJavascript } from './javascript.ts'
import { detectMake } from './make.ts'
import { projectFiles } from './project-files.ts'
import { detectPython } from './python.ts'
import { detectRuby } from './ruby.ts'
import { detectRust } from './rust.ts'

export interface DetectRequest {
  gates: Settings['gates']
  acceptance: Task['acceptance']
}

/** Quick and cheap first: a person reads the first failure first. */
const ORDER = ['build', 'types', 'lint', 'tests', 'coverage']

const ECOSYSTEMS = [detectJavascript, detectPython, detectCmake, detectGo, detectRust, detectJava, detectElixir, detectRuby] as const

function rank(gate: string): number {
  const at = ORDER.indexOf(gate)
  return at < 0 ? ORDER.length : at
}

/**
 * The commands that judge a checkout, each with its reason. The project's settings win, then the task's acceptance, then what the files say;
 * a Makefile speaks for gates that nothing else has. One gate may have several commands (a monorepo with two languages). Runs nothing.
 * `files` are the paths of the checkout, from its root.
 */
export async function detectCommands(checkout: Checkout, files: readonly string[], ask: DetectRequest): Promise<DetectedCommand[]> {
  const project = projectFiles(checkout, files)
  const configured = await configuredCommands(project, ask.gates)
  const accepted = await acceptedCommands(project, ask.acceptance, new Set(configured.map((it) => it.gate)))
  const found = (await Promise.all(ECOSYSTEMS.map((detect) => detect(project)))).flat()
  const plain = (await detectMake(project)).filter((it) => !found.some((other) => other.gate === it.gate))
  const taken = new Set([...configured, ...accepted.commands].map((it) => it.gate))
  const off = new Set([...accepted.off, ...Object.entries(ask.gates).flatMap(([gate, it]) => (it?.enabled === false ? [gate] : []))])
  const detected = [...found, ...plain].filter((it) => !taken.has(it.gate) && !off.has(it.gate))
  return [...configured, ...accepted.commands, ...detected].toSorted((a, b) => rank(a.gate) - rank(b.gate))
}
