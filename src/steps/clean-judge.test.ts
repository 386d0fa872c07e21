import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
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

const PLAN = { summary: 'One part.', parts: [{ id: 'only', title: 'Change a', goal: 'a is 2', files: ['src/a.js'] }] }

it.each([
  ['direct', 'full'],
  ['build', 'quick'],
] as const)(
  '37: what the base is measured with, and kept for later changes, is nothing that a change has written: %s',
  async (workflow, depth) => {
    const seen: string[][] = []
    await play({
      repository: makeRepository({ 'a.txt': 'fine', 'package.json': '{}', '.gitignore': 'node_modules' }),
      workflow,
      settings: { project: { setup: ['mkdir -p node_modules; echo installed > node_modules/tool'] }, runs: { max_attempts: 1 } },
      reply: ({ role, workspace }) => {
        if (role.name === 'architect') return { output: PLAN }
        writeFiles(workspace.path, role.name === 'spec-author' ? { 'test/b.test.js': 'test b\n' } : { 'a.txt': 'changed' })
        return {}
      },
      judge: async ({ checkout, comparison, ...asked }) => {
        if (asked.depth !== depth) return verdict('passed')
        // As a program of the change would.
        writeFileSync(join(checkout.path, 'node_modules/tool'), 'planted')
        writeFileSync(join(checkout.env['HOME'] ?? '', '.planted'), '')
        const base = await comparison?.cleanCheckout?.()
        if (base === undefined) throw new Error('there is no clean base')
        const planted = existsSync(join(base.env['HOME'] ?? '', '.planted'))
        seen.push([
          readFileSync(join(base.path, 'node_modules/tool'), 'utf8'),
          readFileSync(join(base.path, 'a.txt'), 'utf8'),
          `${planted}`,
        ])
        await base.dispose()
        return verdict(depth === 'quick' ? 'failed' : 'passed')
      },
    })
    expect(new Set(seen.map((it) => it.join(' ')))).toEqual(new Set(['installed\n fine false']))
  },
)
