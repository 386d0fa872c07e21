import type { z } from 'zod'
import type { Json } from '../../core/json.ts'
import type { Permissions } from '../../core/role.ts'
import type { Breach, ProgramResult, ProgramSpec } from '../../process/port.ts'
import type { Checkout } from '../../workspace/port.ts'
import type { FileGuard } from './file-guard.ts'

/** The files of one workspace, through the path rules. Every method throws an `Error` whose message tells what is wrong with the path. */
export interface Files {
  /** null when there is no such file. Throws when it is no regular file, or larger than `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Uint8Array | null>
  write(path: string, content: string): Promise<void>
  delete(path: string): Promise<void>
  list(path: string): Promise<readonly { name: string; kind: 'file' | 'folder' | 'other' }[]>
  /** The path in its one normal form; throws when it is none that a tool may use. */
  check(path: string): string
}

/** The first syntax error of a source text; null when it parses or when the language is not known. */
export type SyntaxCheck = (path: string, text: string) => Promise<{ line: number; message: string } | null>
/** The ranked map of the repository's symbols, about `tokens` long. */
export type RepoMap = (
  checkout: Checkout,
  request: { tokens: number; focus: readonly string[]; query: string; leaveOut?: (path: string) => boolean },
) => Promise<string>
export type RunProgram = (spec: ProgramSpec) => Promise<ProgramResult>

/** What a tool works with: one step of one agent. */
export interface ToolContext {
  role: string
  permissions: Permissions
  checkout: Checkout
  files: Files
  guard: FileGuard
  isTestFile(path: string): boolean
  protectedPaths: readonly string[]
  commandTimeoutMs: number
  signal: AbortSignal
  runProgram: RunProgram
  syntaxErrors: SyntaxCheck
  repoMap: RepoMap
}

/** What a tool did. `text` goes to the model, `summary` to people. `ok: false` tells the model the next move. */
export interface ToolOutcome {
  ok: boolean
  text: string
  /** What it was about: a path, a command. */
  target: string
  summary: string
  /** The files were changed: what was seen before may look different now. */
  changed?: boolean
  /** A program of it broke a limit of the run: this ends the step. `problem` is the sentence that names it. */
  broke?: { breach: Breach; problem: string }
  /** The agent says it is done. */
  finish?: { text: string; output: Json | null }
}

export interface Tool<Input = unknown> {
  readonly name: string
  /** Its text for the model is `<file>.md` beside it. */
  readonly file: string
  readonly input: z.ZodType<Input>
  /** Is it offered to a role with these permissions? */
  allowed(permissions: Permissions): boolean
  /** Must not throw for anything the model can cause. */
  run(input: Input, context: ToolContext): Promise<ToolOutcome>
}

export function refused(target: string, text: string): ToolOutcome {
  return { ok: false, text, target, summary: text }
}
