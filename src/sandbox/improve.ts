import { readFile } from 'node:fs/promises'

/** The one command that makes isolation better on this machine, and what is gained by it. */
export interface Improvement {
  command: string
  gain: string
}

type Read = (path: string) => Promise<string | null>

const readIfThere: Read = (path) => readFile(path, 'utf8').catch(() => null)
const GAIN = 'a sandbox of the operating system (L2)'

// Name or family in os-release -> how its users install packages.
const INSTALL: readonly (readonly [ids: RegExp, command: string])[] = [
  [/^(?:debian|ubuntu)$/, 'apt-get install bubblewrap'],
  [/^(?:fedora|rhel|centos)$/, 'dnf install bubblewrap'],
  [/^arch$/, 'pacman -S bubblewrap'],
  [/suse/, 'zypper install bubblewrap'],
  [/^alpine$/, 'apk add bubblewrap'],
]

/** How bubblewrap is installed here, by the name of the distribution; null where its package manager is not known. */
export async function howToInstall(read: Read = readIfThere, root = process.getuid?.() === 0): Promise<Improvement | null> {
  const ids = idsOf((await read('/etc/os-release')) ?? '')
  const command = INSTALL.find(([pattern]) => ids.some((it) => pattern.test(it)))?.[1]
  return command === undefined ? null : { command: asRoot(command, root), gain: GAIN }
}

/** The distribution's own name before those of its family. */
function idsOf(osRelease: string): string[] {
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? ''
  return `${value('ID')} ${value('ID_LIKE')}`.split(' ').filter((it) => it !== '')
}

// Switches that keep ordinary users from making namespaces, with the value that does, and what gives them back.
const SWITCHES: readonly (readonly [file: string, off: string, command: string])[] = [
  // Ubuntu 24.04 and newer: the exception for /usr/bin/bwrap is a profile that 24.04 does not load by itself.
  [
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    '1',
    'apt-get install apparmor-profiles && sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo systemctl reload apparmor',
  ],
  ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'sysctl -w kernel.unprivileged_userns_clone=1'],
  ['/proc/sys/user/max_user_namespaces', '0', 'sysctl -w user.max_user_namespaces=15000'],
]

/** bubblewrap is there and cannot make its namespaces: which switch of the system is in the way, and the command that turns it. */
export async function howToAllow(read: Read = readIfThere, root = process.getuid?.() === 0): Promise<Improvement | null> {
  for (const [file, off, command] of SWITCHES) {
    if ((await read(file))?.trim() === off) return { command: asRoot(command, root), gain: GAIN }
  }
  return null
}

function asRoot(command: string, root: boolean): string {
  return root ? command.replaceAll('sudo ', '') : `sudo ${command}`
}
