import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeRole } from '../../test/support/agent.ts'
import { plainWorkspace, runOnce } from '../../test/support/cli-agent.ts'
import { NO_USAGE } from '../core/run.ts'
import { settingsSchema } from '../core/settings.ts'
import { heldToRole } from './held-to-role.ts'
import type { Agent, AgentResult } from './port.ts'

const DONE: AgentResult = {
  status: 'completed',
  text: 'Done.',
  output: null,
  problem: '',
  class: null,
  retryAt: null,
  usage: NO_USAGE,
  cost: 0,
  steps: 1,
}

/** An agent of somebody else's that writes these files. */
function writes(...files: string[]): Agent {
  return {
    provider: 'mine',
    model: 'm',
    async run({ workspace }) {
      for (const file of files) writeFileSync(join(workspace.path, file), 'new\n')
      return DONE
    },
  }
}

const held = (agent: Agent, files: { max_files?: number } = {}) => heldToRole(agent, settingsSchema.parse({ files }).files)

describe('an agent that writes by itself', () => {
  it('has what its role may not change put back', async () => {
    const place = plainWorkspace({ 'a.txt': 'old\n', 'a.test.ts': 'test\n' })
    const { result, events } = await runOnce(held(writes('a.txt', 'a.test.ts')), place)
    expect([result.status, place.files()]).toEqual(['completed', { 'a.txt': 'new\n', 'a.test.ts': 'test\n' }])
    expect(events).toMatchObject([{ type: 'noticed', text: expect.stringContaining('may not change a.test.ts: put back as it was') }])
  })

  it('has failed when its role only reads', async () => {
    const role = makeRole({ name: 'reviewer', permissions: { write: 'none' } })
    const { result } = await runOnce(held(writes('a.txt')), plainWorkspace({ 'a.txt': 'old\n' }), { role })
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output', problem: expect.stringContaining('"reviewer" only reads') })
  })

  it('is at its limit when it writes more files than a step may', async () => {
    const { result } = await runOnce(held(writes('1', '2'), { max_files: 1 }), plainWorkspace({}))
    expect(result).toMatchObject({ status: 'limited', problem: expect.stringContaining('2 files were written') })
  })
})
