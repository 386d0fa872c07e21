import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { makeOwnFolder, removeAbandoned } from './own-folders.ts'

it('removes the folders of processes that have ended, and no others', async () => {
  const shared = join(temporaryFolder(), 'sandbox')
  await removeAbandoned(shared)
  const own = await makeOwnFolder(shared, 'out')
  // Beyond every number that Linux or macOS gives.
  const pid = 99_999_999
  for (const name of [`out-${pid}-aaaaaa`, `probe-${pid}-bbbbbb`, 'etc', `other-${pid}-cccccc`])
    mkdirSync(join(shared, name, 'in'), { recursive: true })
  await removeAbandoned(shared)
  expect(
    readdirSync(shared)
      .map((it) => join(shared, it))
      .toSorted(),
  ).toEqual([join(shared, 'etc'), join(shared, `other-${pid}-cccccc`), own].toSorted())
})
