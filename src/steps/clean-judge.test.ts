import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { play, verdict } from '../../test/support/run-workflow.ts'

describe('a setup that fails in the clean clone', () => {
  it('and works on the base is a failed gate of the change', async () => {
    const { row } = await play({
      repository: makeRepository({ 'a.txt': 'fine', '.gitignore': 'made' }),
      workflow: 'direct',
      settings: { project: { setup: ['echo > made; grep -q fine a.txt || { echo a.txt is wrong; exit 7; }'] }, runs: { max_attempts: 1 } },
      reply: (request) => {
        writeFileSync(join(request.workspace.path, 'a.txt'), 'broken')
        return {}
      },
      judge: () => verdict('passed'),
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'gates' })
    expect(row.facts.verdict?.gates).toMatchObject([
      {
        name: 'setup',
        status: 'failed',
        findings: [{ attribution: 'introduced', message: expect.stringContaining('a.txt is wrong') as string }],
      },
    ])
  })

  it('and on the base too is no fault of the change', async () => {
    const down = join(temporaryFolder(), 'down')
    const { row } = await play({
      repository: makeRepository({ 'a.txt': 'fine', '.gitignore': 'made' }),
      workflow: 'direct',
      settings: { project: { setup: [`echo > made; ! test -e '${down}'`] } },
      reply: (request) => {
        writeFileSync(join(request.workspace.path, 'a.txt'), 'changed')
        writeFileSync(down, '')
        return {}
      },
      judge: () => verdict('passed'),
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'error' })
    expect(row.message).toContain('The setup command')
    expect(row.facts.verdict ?? null, 'nothing was judged').toBeNull()
  })
})
