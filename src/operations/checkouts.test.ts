import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { git } from '../../test/support/repository.ts'
import { rootAround } from './checkouts.ts'

it('knows where the settings of a project lie, also before its first commit', async () => {
  const folder = temporaryFolder()
  expect(await rootAround(folder), 'a plain folder').toBeNull()
  git(folder, 'init', '-q')
  mkdirSync(join(folder, 'src'))
  expect(await rootAround(join(folder, 'src'))).toBe(folder)
})
