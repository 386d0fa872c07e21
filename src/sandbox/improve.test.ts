import { describe, expect, it } from 'vitest'
import { howToAllow, howToInstall } from './improve.ts'

const files = (content: Readonly<Record<string, string>>) => async (path: string) => content[path] ?? null
const release = (text: string) => files({ '/etc/os-release': text })

describe('how bubblewrap is installed', () => {
  it.each([
    ['PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n', 'sudo apt-get install bubblewrap'],
    ['NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', 'sudo apt-get install bubblewrap'],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'sudo dnf install bubblewrap'],
    ['ID=arch\n', 'sudo pacman -S bubblewrap'],
    ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', 'sudo zypper install bubblewrap'],
    ['ID=alpine\n', 'sudo apk add bubblewrap'],
  ])('names the package manager of %j', async (text, command) => {
    expect(await howToInstall(release(text), false)).toEqual({ command, gain: 'a sandbox of the operating system (L2)' })
  })

  it('needs no sudo as root, and guesses nothing where it does not know', async () => {
    expect((await howToInstall(release('ID=debian'), true))?.command).toBe('apt-get install bubblewrap')
    expect(await howToInstall(release('ID=plan9'), false)).toBe(null)
    expect(await howToInstall(files({}), false)).toBe(null)
  })
})

describe('what keeps bubblewrap from its namespaces', () => {
  const allow = (content: Readonly<Record<string, string>>, root = false) => howToAllow(files(content), root).then((it) => it?.command)

  it('names the profile that Ubuntu 24.04 does not load', async () => {
    const file = { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' }
    expect(await allow(file)).toMatch(/^sudo apt-get install apparmor-profiles && sudo ln -s .*bwrap-userns-restrict/)
    expect(await allow(file, true)).not.toContain('sudo')
  })

  it('names the switch of the kernel', async () => {
    expect(await allow({ '/proc/sys/kernel/unprivileged_userns_clone': '0\n' })).toBe('sudo sysctl -w kernel.unprivileged_userns_clone=1')
    expect(await allow({ '/proc/sys/user/max_user_namespaces': '0' })).toBe('sudo sysctl -w user.max_user_namespaces=15000')
  })

  it('says nothing where no switch is in the way', async () => {
    expect(await allow({ '/proc/sys/user/max_user_namespaces': '257000', '/proc/sys/kernel/unprivileged_userns_clone': '1' })).toBe(
      undefined,
    )
  })
})
