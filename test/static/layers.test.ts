import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { brokenLayers } from '../../scripts/layers.ts'
import { temporaryFolder } from '../support/folder.ts'

function check(file: string, text: string): string[] {
  const folder = temporaryFolder()
  mkdirSync(join(folder, file, '..'), { recursive: true })
  writeFileSync(join(folder, file), text)
  return brokenLayers([file], folder)
}

it('lets a room import what the table allows', () => {
  expect(check('src/store/a.ts', "import { x } from '../core/run.ts'\nimport { y } from './b.ts'\n")).toEqual([])
})

it('names a forbidden import, also one over several lines and a lazy one', () => {
  const [first, second] = check(
    'src/core/a.ts',
    "import {\n  x,\n} from '../store/open.ts'\nconst y = await import('../engine/engine.ts')\n",
  )
  expect([first, second].join('\n')).toContain('"core" may not import "store" (src/store/open.ts). Allowed: nothing')
  expect([first, second].join('\n')).toContain('"core" may not import "engine"')
})

it('names a room that is not in the table', () => {
  expect(check('src/helpers/a.ts', '')).toEqual(['src/helpers/a.ts: the room "helpers" is not in the table of scripts/layers.ts'])
})

it('lets nobody but the entry points import the composition', () => {
  expect(check('src/cli/a.ts', "import { app } from '../app.ts'\n")).toEqual([
    'src/cli/a.ts: may not import src/app.ts, only the entry points do',
  ])
})
