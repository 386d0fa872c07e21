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

/** A switch of the system that keeps ordinary users from making namespaces. */
export interface Switch {
  file: string
  /** The value that does. */
  off: string
  /** Half a sentence. */
  cause: string
  /** What gives namespaces back. */
  command: string
}

export const SWITCHES: readonly Switch[] = [
  {
    file: '/proc/sys/user/max_user_namespaces',
    off: '0',
    cause: 'user namespaces are switched off here (user.max_user_namespaces is 0)',
    command: 'sysctl -w user.max_user_namespaces=15000',
  },
  {
    file: '/proc/sys/kernel/unprivileged_userns_clone',
    off: '0',
    cause: 'user namespaces are for root only here (kernel.unprivileged_userns_clone is 0)',
    command: 'sysctl -w kernel.unprivileged_userns_clone=1',
  },
  // Ubuntu 24.04 and newer: the exception for /usr/bin/bwrap is a profile that 24.04 does not load by itself.
  {
    file: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    off: '1',
    cause:
      'AppArmor keeps programs without a profile from user namespaces, as on Ubuntu 24.04 and newer (kernel.apparmor_restrict_unprivileged_userns is 1)',
    command:
      'apt-get install apparmor-profiles && sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo systemctl reload apparmor',
  },
]

/** bubblewrap is there and cannot make its namespaces: which switch of the system is in the way, and the command that turns it. */
export async function howToAllow(read: Read = readIfThere, root = process.getuid?.() === 0): Promise<Improvement | null> {
  for (const { file, off, command } of SWITCHES) {
    if ((await read(file))?.trim() === off) return { command: asRoot(command, root), gain: GAIN }
  }
  return null
}

function asRoot(command: string, root: boolean): string {
  return root ? command.replaceAll('sudo ', '') : `sudo ${command}`
}
