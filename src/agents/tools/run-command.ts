import { join } from 'node:path'
import { z } from 'zod'
import { atLeast } from '../../core/isolation.ts'
import type { Confinement, ProgramResult } from '../../process/port.ts'
import { capText } from './cap.ts'
import { refused, type Tool, type ToolContext, type ToolOutcome } from './tool.ts'

/** What the model sees of one command: a failing test's message is at the end, its beginning says what ran. */
const MAX_CHARS = 16_000
const KEEP_BYTES = 64 * 1024
/** A command that prints this much is not read by anybody. */
const FLOOD_BYTES = 64 * 1024 * 1024

/** How programs say that they did not get through to another machine. */
const NO_NETWORK =
  /\b(?:ENOTFOUND|EAI_AGAIN|ENETUNREACH)\b|Could not resolve host|Temporary failure in name resolution|Name or service not known|Network is unreachable|unable to resolve host|dial tcp: lookup/i
const HINT =
  'reeve: commands have no network here, and it is of no use to try again. Work with what is installed; what is missing is for the project to add to its setup: say so when you finish.'

const input = z.object({
  command: z.string().min(1).max(10_000).describe('A shell command line, run by sh in the project folder'),
  timeout_seconds: z.number().positive().optional().describe('Give up earlier than the limit of the run'),
})

export const runCommandTool: Tool<z.infer<typeof input>> = {
  name: 'run_command',
  file: 'run-command',
  input,
  allowed: (permissions) => permissions.run_commands,
  run: async ({ command, timeout_seconds }, context: ToolContext): Promise<ToolOutcome> => {
    if (!context.permissions.run_commands) return refused(command, `run_command: the role "${context.role}" may not run commands.`)
    const { checkout } = context
    const limitMs = context.commandTimeoutMs
    const result = await context.runProgram({
      argv: ['/bin/sh', '-c', command],
      cwd: join(checkout.path, checkout.targetDir),
      env: checkout.env,
      ...(checkout.confinement === undefined ? {} : { confinement: checkout.confinement }),
      timeoutMs: timeout_seconds === undefined ? limitMs : Math.min(timeout_seconds * 1000, limitMs),
      keepBytes: KEEP_BYTES,
      floodBytes: FLOOD_BYTES,
      signal: context.signal,
      ...(checkout.run === undefined ? {} : { run: checkout.run }),
    })
    const how = endOf(result)
    const ok = result.ended === 'exited' && result.exitCode === 0
    const broke = result.ended === 'limit' && result.breach !== null ? { broke: { breach: result.breach, problem: result.problem } } : {}
    const hint = !ok && offline(checkout.confinement) && NO_NETWORK.test(result.stdout + result.stderr) ? `\n${HINT}` : ''
    return { ok, text: `${how}\n${outputOf(result)}${hint}`, target: command, summary: how, ...broke }
  },
}

/** Plain processes reach what the user reaches. */
function offline(confinement: Confinement | undefined): boolean {
  return confinement !== undefined && atLeast(confinement.level, 'os-sandbox')
}

function endOf(result: ProgramResult): string {
  const seconds = `${(result.durationMs / 1000).toFixed(1)} s`
  if (result.ended === 'exited') return `exit code ${result.exitCode}`
  if (result.ended === 'timeout') return `stopped after ${seconds}: it took too long. Run less at once, or something that ends by itself.`
  if (result.ended === 'flooded') return 'stopped: it printed too much. Send its output to a file and read a part of it.'
  return result.problem
}

function outputOf(result: ProgramResult): string {
  const parts = [result.stdout.trimEnd(), result.stderr.trim() === '' ? '' : `stderr:\n${result.stderr.trimEnd()}`].filter(
    (it) => it !== '',
  )
  return parts.length === 0 ? '(no output)' : capText(parts.join('\n'), MAX_CHARS)
}
