import { describe, expect, it } from 'vitest'
import { cliDeps, plainAdapter, plainWorkspace, runOnce, say } from '../../../test/support/cli-agent.ts'
import { unconfined } from '../../process/unconfined.ts'
import { createCliAgent } from './agent.ts'

const DONE = say({ t: 'success', text: 'All done.', turns: 1 })

async function run(files: Record<string, string>, level: 'os-sandbox' | 'none') {
  const place = plainWorkspace({ 'a.txt': 'old\n', ...files }, { ...unconfined, level: level === 'none' ? unconfined.level : level })
  const adapter = plainAdapter({ unasked: ['.tool', 'tool.json'] })
  const { result } = await runOnce(createCliAgent(cliDeps(`echo new > a.txt; ${DONE}`, { adapter })), place)
  return { result, place }
}

describe('what a program would start of a project, unasked', () => {
  it('is hidden from it by a sandbox', async () => {
    const { result, place } = await run({ '.tool/plugin.js': '' }, 'os-sandbox')
    expect(result.status).toBe('completed')
    expect(place.ways.map((it) => it.hidden)).toEqual(place.ways.map(() => ['.tool', 'tool.json']))
  })

  it('keeps it from being started where there is no sandbox', async () => {
    const { result, place } = await run({ 'tool.json': '{}' }, 'none')
    expect(result).toMatchObject({
      status: 'failed',
      class: 'config',
      problem: 'fake starts programs that it finds in tool.json of a project, and no sandbox is there that hides them from it.',
    })
    expect(place.files()['a.txt']).toBe('old\n')
    expect((await run({}, 'none')).result.status).toBe('completed')
  })
})
