import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.ts'
import { reeveFor } from '../support/reeve.ts'

it('takes the demo through every stage, and says that the replies are scripted and what to configure', async () => {
  const { exitCode, stdout, text } = await reeveFor(temporaryFolder())(['demo'])
  expect(exitCode, text).toBe(0)
  for (const stage of [
    'isolation',
    'plan',
    'tests first',
    'wrong attempt',
    'review',
    'kill -9',
    'resumed',
    'right attempt',
    'red proof',
    'evidence',
    'landing',
  ]) {
    expect(stdout, stage).toMatch(new RegExp(`^\\S+ ${stage}\\s`, 'm'))
  }
  expect(stdout).toContain('The replies of the models are scripted')
  expect(stdout).toMatch(/at whatever level of isolation this machine has: L\d [a-z-]+, by \w/)
  expect(stdout).toContain('name a provider in reeve.toml')
})
