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

const terminal = terminalOf(process, version, async ({ cwd }) => {
  const { openApp } = await import('./app.ts')
  const { closeInherited } = await import('./process/inherited.ts')
  return openApp({
    beforeWork: () => void closeInherited(),
    env: process.env,
    cwd,
    version,
    self: [process.execPath, '--disable-warning=ExperimentalWarning', entry],
    templates: join(import.meta.dirname, '../templates'),
  })
})
process.exitCode = await main(process.argv.slice(2), terminal)
