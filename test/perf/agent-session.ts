/**
 * One step of an agent as reeve makes it, measured from inside: what a reeve that runs already spends on it. Prints `begin`, then one line of JSON.
 * Arguments: KIND URL FOLDER. Started by agents.ts.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ADAPTERS } from '../../src/agents/cli/adapters.ts'
import { detectorIn, MODEL, openWork, osSandbox, RIGHT, runSession } from '../real/session.ts'

const [, , kind = '', url = '', folder = ''] = process.argv
const sandbox = await osSandbox(folder)
const workspace = await openWork(folder, sandbox)
// A reeve that runs already has asked for the version.
const detect = detectorIn(folder)
const adapter = ADAPTERS.find((it) => it.kind === kind)
if (adapter) await detect(adapter)
// From here on whoever measures counts what the processes below this one use.
console.log('begin')
const [began, before] = [performance.now(), process.cpuUsage()]
const address = kind === 'openai-compatible' ? `${url}/v1` : url
const result = await runSession({
  settings: { kind, model: MODEL, base_url: address, api_key_env: 'SCRIPTED_API_KEY' },
  folder,
  workspace,
  detect,
  emit: () => undefined,
})
const { user, system } = process.cpuUsage(before)
const measured = { seconds: (performance.now() - began) / 1000, cpu: (user + system) / 1e6 }
await sandbox.close()
const right = readFileSync(join(workspace.path, 'sum.mjs'), 'utf8') === RIGHT
if (result.status !== 'completed' || !right) throw new Error(`${kind} ended as ${result.status}: ${result.problem}`)
console.log(JSON.stringify(measured))
