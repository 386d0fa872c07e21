import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { noSandbox } from './unconfined.ts'

it('gives an agent its secrets, and other programs none', () => {
  const place = { tree: '/', home: temporaryFolder() }
  const env = noSandbox.env(place, { kind: 'agent', hosts: [], secrets: { SOME_KEY: 'k' } })
  expect([env['SOME_KEY'], env['HOME']]).toEqual(['k', place.home])
  expect(noSandbox.env(place, { kind: 'run' })['SOME_KEY']).toBeUndefined()
})
