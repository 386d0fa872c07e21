/**
 * One step of an agent as reeve makes it, measured from inside: what a reeve that runs already spends on it. Prints one line of JSON.
 * Arguments: KIND URL FOLDER. Started by agents.ts.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MODEL, openWork, osSandbox, RIGHT, runSession } from '../real/session.ts'

const [, , kind = '', url = '', folder = ''] = process.argv
// Ticks of the clock that the kernel counts processor time in.
const TICKS = 100

/** Processor seconds of this process and of all children that have ended. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (user + system) / 1e6 + (Number(fields[13]) + Number(fields[14])) / TICKS
}

const sandbox = await osSandbox(folder)
const workspace = await openWork(folder, sandbox)
const [began, before] = [performance.now(), cpuSeconds()]
const address = kind === 'openai-compatible' ? `${url}/v1` : url
const result = await runSession({
  settings: { kind, model: MODEL, base_url: address, api_key_env: 'SCRIPTED_API_KEY' },
  folder,
  workspace,
  emit: () => undefined,
})
const measured = { seconds: (performance.now() - began) / 1000, cpu: cpuSeconds() - before }
await sandbox.close()
const right = readFileSync(join(workspace.path, 'sum.mjs'), 'utf8') === RIGHT
if (result.status !== 'completed' || !right) throw new Error(`${kind} ended as ${result.status}: ${result.problem}`)
console.log(JSON.stringify(measured))
