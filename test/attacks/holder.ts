/** Runs a command line in the sandbox, as a reeve that is going to be killed. Arguments: the folder to work in, the line. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { settingsSchema } from '../../src/core/settings.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { createSandbox } from '../../src/sandbox/create.ts'

const [folder = '', line = ''] = process.argv.slice(2)
const [tree, home] = [join(folder, 'tree'), join(folder, 'home')]
for (const it of [tree, home]) mkdirSync(it)
const { signal } = new AbortController()
const settings = settingsSchema.parse({ sandbox: { level: 'os-sandbox' } }).sandbox
const sandbox = await createSandbox({ settings, folder: join(folder, 's'), env: process.env, realHome: home, signal })
if (sandbox.report.level !== 'os-sandbox') throw new Error(sandbox.report.reason)
const place = { tree, home, run: 'killed' }
await runProgram({
  argv: ['/bin/sh', '-c', line],
  cwd: tree,
  env: sandbox.env(place, { kind: 'run' }),
  confinement: sandbox.confine(place, { kind: 'run' }),
  timeoutMs: 60_000,
  run: place.run,
})
