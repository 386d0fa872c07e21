import type { ProgramResult } from '../../process/port.ts'
import type { ToolContext } from './tool.ts'

/** Searching and listing are quick; what takes longer hangs on a file system that does not answer. */
const TIMEOUT_MS = 20_000
const KEEP_BYTES = 2 * 1024 * 1024

/** The bundled ripgrep, null where its package has no binary for this platform. */
async function binary(): Promise<string | null> {
  try {
    return (await import('@vscode/ripgrep')).rgPath
  } catch {
    return null
  }
}

/** Runs ripgrep in the checkout's root without anybody's configuration; null when it cannot be started here. It follows no symlinks and reads no ignored files. */
export async function ripgrep(args: readonly string[], context: ToolContext): Promise<ProgramResult | null> {
  const program = await binary()
  if (program === null) return null
  const result = await context.runProgram({
    argv: [program, '--no-config', '--no-messages', '--color=never', '--hidden', '--glob=!.git', '--threads=2', ...args],
    cwd: context.checkout.path,
    env: { PATH: context.checkout.env['PATH'] ?? '', LANG: 'C.UTF-8' },
    timeoutMs: TIMEOUT_MS,
    keepBytes: KEEP_BYTES,
    signal: context.signal,
    ...(context.checkout.run === undefined ? {} : { run: context.checkout.run }),
  })
  return result.ended === 'not_found' || result.ended === 'not_started' ? null : result
}
