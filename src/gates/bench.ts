import { lstat, readFile, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { Settings } from '../core/settings.ts'
import type { Task } from '../core/task.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { Checkout } from '../workspace/port.ts'
import type { GateEvent, JudgeRequest, Measure, Measurement } from './port.ts'

/** The commands a checkout has, by its own files, the settings and the task's acceptance. Runs nothing of the project. */
export type Detect = (
  checkout: Checkout,
  options: { settings: Settings; acceptance: Task['acceptance'] },
) => Promise<readonly DetectedCommand[]>

/** What the judge is made of. Tests pass their own; the real composition is `create.ts`. */
export interface JudgeParts {
  measure: Measure
  detect: Detect
  isTestFile(path: string, extraGlobs: readonly string[]): boolean
  /** Version of the tool behind a command, part of the key of cached base results. */
  toolVersion?(command: DetectedCommand, checkout: Checkout): Promise<string>
  clock?: Clock
}

export type Where = 'change' | 'base' | 'proof'

/** One request with what every part of the judging needs. */
export interface Bench {
  request: JudgeRequest
  parts: JudgeParts
  isTest(path: string): boolean
  /** Content of a file as the change has it; null when it is missing, not a plain text file, too large, or outside the checkout. */
  here(path: string): Promise<string | null>
  /** Content of a file on the base; null without a base. */
  atBase(path: string): Promise<string | null>
  /** Runs a command and says so. Throws the abort reason when the request was aborted, and nothing else. */
  measure(command: DetectedCommand, checkout: Checkout, where: Where, onlyTests?: readonly string[]): Promise<Measurement>
  emit(event: GateEvent): void
}

// Larger files are data; reading them line by line tells nothing about tests or configuration.
const MAX_TEXT = 2 * 1024 * 1024

export function openBench(parts: JudgeParts, request: JudgeRequest): Bench {
  const { checkout, comparison, settings } = request
  const kept = new Map<string, Promise<string | null>>()
  const once = (key: string, read: () => Promise<string | null>): Promise<string | null> => {
    const known = kept.get(key) ?? read()
    kept.set(key, known)
    return known
  }
  return {
    request,
    parts,
    isTest: (path) => parts.isTestFile(path, settings.tests.files),
    here: (path) => once(`here:${path}`, () => readTextIn(checkout.path, path)),
    atBase: (path) => once(`base:${path}`, async () => (await comparison?.fileAtBase(path)) ?? null),
    emit: (event) => request.emit(event),
    async measure(command, at, where, onlyTests) {
      request.signal.throwIfAborted()
      request.emit({ type: 'gate.started', gate: command.gate, command: command.command, where })
      const seconds = settings.gates[command.gate]?.timeout_seconds
      const timeoutMs = seconds === undefined ? request.timeoutMs : seconds * 1000
      const selection = onlyTests === undefined ? {} : { onlyTests }
      const measured = await parts.measure(command, at, { timeoutMs, signal: request.signal, ...selection })
      request.signal.throwIfAborted()
      if (where !== 'change') request.emit(finished(measured, where))
      return measured
    },
  }
}

function finished(measured: Measurement, where: Where): GateEvent {
  const failed = measured.cases?.filter((it) => it.status === 'failed').length ?? measured.findings.length
  const { gate, status, durationMs } = measured
  return { type: 'gate.finished', gate, status, introduced: 0, total: failed, durationMs, where }
}

/** Bytes of a plain file below a root, whatever links the tree holds; null otherwise. */
export async function readBytesIn(root: string, path: string, maxBytes: number): Promise<Buffer | null> {
  const full = join(root, path)
  try {
    const stat = await lstat(full)
    if (!stat.isFile() || stat.size > maxBytes) return null
    const real = await realpath(full)
    if (!real.startsWith((await realpath(root)) + sep)) return null
    return await readFile(real)
  } catch {
    return null
  }
}

async function readTextIn(root: string, path: string): Promise<string | null> {
  const bytes = await readBytesIn(root, path, MAX_TEXT)
  return bytes === null || bytes.includes(0) ? null : bytes.toString('utf8')
}
