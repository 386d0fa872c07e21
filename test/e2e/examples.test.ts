import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')

it.each(readdirSync(EXAMPLES))('the example %s does what its README says', async (name) => {
  const child = spawn(process.execPath, [join(EXAMPLES, name, 'run.ts')], {
    env: {
      PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
      HOME: temporaryFolder(),
      GIT_CONFIG_NOSYSTEM: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code, said).toBe(0)
  expect(said, 'it checks something').toMatch(/^ok {2}/m)
})
