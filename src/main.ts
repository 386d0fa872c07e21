import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

enableCompileCache()
// Should a report of a crash be asked for, keys of the environment stay out of it.
if (process.report) process.report.excludeEnv = true
const { main } = await import('./cli/main.ts')
const { terminalOf } = await import('./cli/terminal.ts')
const { parseJson } = await import('./core/json.ts')

// Valid from the source (src/main.ts) and from the build (dist/main.js).
const entry = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'main.ts' : 'main.js')
const { version } = parseJson(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'), 'package.json') as { version: string }

const own = {
  env: process.env,
  version,
  self: [process.execPath, '--disable-warning=ExperimentalWarning', entry] as [string, ...string[]],
  templates: join(import.meta.dirname, '../templates'),
  beforeWork: async () => void (await import('./process/inherited.ts')).closeInherited(),
  remark: (line: string) => void process.stderr.write(`${line}\n`),
}
const terminal = terminalOf(process, version, {
  async open({ cwd, foreground }) {
    if (foreground) return (await import('./app.ts')).openApp({ ...own, cwd })
    return (await import('./connect.ts')).connect({ ...own, cwd })
  },
  daemon: async () => (await import('./connect.ts')).daemonControl(own),
  async serve(wishes) {
    const { serve } = await import('./serve.ts')
    try {
      return await serve({ ...own, ...wishes, process, say: (line) => void process.stdout.write(`${line}\n`) })
    } finally {
      // A connection or a program that holds this process must not hold up whoever waits for its end.
      setTimeout(() => process.exit(), 3000).unref()
    }
  },
})
process.exitCode = await main(process.argv.slice(2), terminal)
