import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { itNeeds } from '../../test/support/needs.ts'
import { runProgram } from './run-program.ts'

const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)

itNeeds('bash')('programs get none of the files that reeve itself was given open', async () => {
  const folder = temporaryFolder()
  const script = join(folder, 'inherit.mts')
  writeFileSync(join(folder, 'secret'), 'secret')
  writeFileSync(
    script,
    `import { closeInherited } from ${module('inherited.ts')}
     import { runProgram } from ${module('run-program.ts')}
     const look = () => runProgram({ argv: ['/bin/sh', '-c', 'cat /proc/self/fd/200 2>/dev/null || echo none'],
       cwd: '/', env: { PATH: '/usr/bin:/bin' }, timeoutMs: 5000 })
     const before = (await look()).stdout
     const closed = closeInherited()
     console.log(before.trim(), closed.includes(200), (await look()).stdout.trim())`,
  )
  const line = `exec '${process.execPath}' '${script}' 200<'${join(folder, 'secret')}'`
  const result = await runProgram({ argv: ['bash', '-c', line], cwd: folder, env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 20_000 })
  expect(result.stdout.trim(), 'before, what was closed, after').toBe('secret true none')
})
