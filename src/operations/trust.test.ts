import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import type { Context } from './context.ts'
import { addTrust, untrusted } from './trust.ts'

it('is added for a project, beside what its user has agreed to before, and for no other', async () => {
  const state = temporaryFolder()
  const context = { folders: { state } } as Pick<Context, 'folders'>
  const about = (hash: string) => ({ provider: 'claude', where: 'reeve.toml:3', what: 'shows its program the log-in', hash })
  await addTrust(context, '/p', [about('a')])
  await addTrust(context, '/p', [about('b')])
  const open = (root: string) => untrusted(context, root, [about('a'), about('b'), about('c')])
  expect((await open('/p')).map((it) => it.hash)).toEqual(['c'])
  expect((await open('/q')).map((it) => it.hash)).toEqual(['a', 'b', 'c'])
  expect(statSync(join(state, 'trust.json')).mode & 0o777).toBe(0o600)
})
