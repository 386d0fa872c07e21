import { describe, expect, it } from 'vitest'
import { likelyCause } from './cause.ts'

const UID_MAP = 'bwrap: setting up uid map: Permission denied'
const machine = (files: Readonly<Record<string, string>>) => (path: string) => Promise.resolve(files[path] ?? '')

describe('the likely cause of a sandbox that does not start', () => {
  it.each([
    ['/proc/sys/user/max_user_namespaces', '0\n', 'bwrap: Creating new namespace failed: No space left on device', 'switched off here'],
    ['/proc/sys/kernel/unprivileged_userns_clone', '0\n', 'bwrap: No permissions to create new namespace', 'for root only'],
    ['/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1\n', UID_MAP, 'AppArmor'],
    [
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
      '1\n',
      'bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted',
      'AppArmor',
    ],
    ['/run/.containerenv', 'engine="podman"', 'bwrap: Creating new namespace failed: Operation not permitted', 'container'],
  ])('is read from %s', async (file, text, said, words) => {
    expect(await likelyCause(said, machine({ [file]: text }))).toContain(words)
  })

  it('is the container itself when /proc cannot be mounted, whatever the switches say', async () => {
    const said = "bwrap: Can't mount proc on /newroot/proc: Operation not permitted"
    expect(await likelyCause(said, machine({ '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1' }))).toContain('mount /proc')
  })

  it('is not guessed', async () => {
    expect(await likelyCause(UID_MAP, machine({ '/proc/sys/user/max_user_namespaces': '63000' }))).toBeNull()
    expect(await likelyCause('bwrap: Unknown option --size', machine({ '/proc/sys/user/max_user_namespaces': '0' }))).toBeNull()
  })
})
