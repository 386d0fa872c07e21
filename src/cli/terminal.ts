import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { text as readAll } from 'node:stream/consumers'
import { styleText } from 'node:util'
import { ReeveError } from '../core/errors.ts'
import type { Host } from './main.ts'

/** The real terminal of this process. */
export function terminalOf(it: NodeJS.Process, version: string, product: Pick<Host, 'open' | 'daemon' | 'serve'>): Host {
  const { stdin, stdout, stderr, env } = it
  const dumb = env['TERM'] === 'dumb'
  const atWork = new Set<() => void>()
  // A reader that left (`reeve ls | head`) is no failure of ours. Work under way is left as by Ctrl-C, so that no program stays behind, and
  // nobody takes the end for success.
  const onLeft = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') return
    for (const leave of atWork) leave()
    atWork.clear()
  }
  for (const stream of [stdout, stderr]) stream.on('error', onLeft)
  return {
    env,
    cwd: it.cwd(),
    version,
    tty: stdout.isTTY && !dumb,
    interactive: stdin.isTTY && stdout.isTTY && !dumb,
    columns: () => Math.max(40, stdout.columns || 100),
    rows: () => Math.max(10, stdout.rows || 40),
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    // The stream decides by NO_COLOR, FORCE_COLOR and whether it is a terminal.
    paint: (style, text) => styleText(style, text, { stream: stdout }),
    ...product,
    resolve: (path) => resolve(it.cwd(), path),
    readFile: (path) => (path === '-' ? readAll(stdin) : readNamed(path)),
    async ask(question, signal) {
      const lines = createInterface({ input: stdin, output: stdout })
      const over = new AbortController()
      // Ctrl-C and the end of input are no answers; without this the question would stay open for ever.
      for (const event of ['SIGINT', 'close']) lines.once(event, () => over.abort())
      try {
        return await lines.question(question, { signal: AbortSignal.any([signal, over.signal]) })
      } catch {
        return null
      } finally {
        lines.close()
      }
    },
    onInterrupt(fn) {
      const quiet = onInterrupt(it, fn)
      atWork.add(fn)
      return () => {
        atWork.delete(fn)
        quiet()
      }
    },
    every(ms, fn) {
      const timer = setInterval(fn, ms)
      timer.unref()
      return () => clearInterval(timer)
    },
    now: () => Date.now(),
  }
}

async function readNamed(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new ReeveError('file_not_found', { path })
    throw new ReeveError('environment', { problem: `"${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}` })
  }
}

/** The first Ctrl-C, request to end or closed terminal calls back; the second ends the process at once. */
function onInterrupt(it: NodeJS.Process, fn: () => void): () => void {
  let asked = false
  const listener = (): void => {
    if (asked) return it.exit(130)
    asked = true
    fn()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) it.on(name, listener)
  return () => {
    for (const name of signals) it.off(name, listener)
  }
}
