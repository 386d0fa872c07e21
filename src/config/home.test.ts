import { join } from 'node:path'
import { expect, it } from 'vitest'
import { reeveFolders } from './home.ts'

it('follows the XDG folders where they are set, and the usual places where not', () => {
  expect(reeveFolders({ HOME: '/home/ada', XDG_STATE_HOME: '/var/s' }, '/root')).toEqual({
    config: '/home/ada/.config/reeve',
    state: '/var/s/reeve',
    data: '/home/ada/.local/share/reeve',
    cache: '/home/ada/.cache/reeve',
  })
})

it('moves everything below REEVE_HOME', () => {
  expect(reeveFolders({ HOME: '/home/ada', XDG_STATE_HOME: '/var/s', REEVE_HOME: '/r' })).toEqual({
    config: '/r/config',
    state: '/r/state',
    data: '/r/data',
    cache: '/r/cache',
  })
})

it('ignores relative folders, as the XDG specification asks', () => {
  expect(reeveFolders({ XDG_STATE_HOME: 'here', HOME: 'x' }, '/h').state).toBe('/h/.local/state/reeve')
  expect(reeveFolders({ REEVE_HOME: 'there' }, '/h').state).toBe(join(process.cwd(), 'there/state'))
})
