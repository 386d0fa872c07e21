import { dirname, isAbsolute } from 'node:path'
import { ReeveError } from '../core/errors.ts'

/** What programs may see and write, as real paths: the kernel compares what a path leads to, `/private/tmp` and not `/tmp`. */
export interface SeatbeltView {
  readable: readonly string[]
  writable: readonly string[]
  /** Never written, although within a folder that is. */
  guarded: readonly string[]
  /** Neither read nor written, although within a folder that is. */
  hidden: readonly string[]
  /** Unix sockets that may be spoken to: the way out of an install. */
  sockets: readonly string[]
}

/** The system: programs, libraries, frameworks, what is trusted, time zones. Homebrew and MacPorts are where their programs are. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/System', '/Library', '/opt/homebrew', '/opt/local', '/private/etc', '/private/var/db/timezone']
/** The linker's cache of the system's libraries and the selected developer tools lie here. */
const SYSTEM_PARTS = ['/private/var/db/dyld', '/private/var/select', '/private/var/db/xcode_select_link']
const DEVICES = ['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom', '/dev/tty', '/dev/dtracehelper']
/** Names of users, and whose certificates are trusted. */
const SERVICES = ['com.apple.system.opendirectoryd.libinfo', 'com.apple.system.opendirectoryd.membership', 'com.apple.trustd.agent']

/**
 * The profile for `sandbox-exec -p`. All is denied but what it names; of two rules that fit the later one counts. Pure.
 * Throws `sandbox_failed` for a path that cannot be written into it.
 */
export function seatbeltProfile({ readable, writable, guarded, hidden, sockets }: SeatbeltView): string {
  const shown = [...SYSTEM, ...SYSTEM_PARTS, ...readable, ...writable]
  return [
    '(version 1)',
    '(deny default)',
    '(import "system.sb")',
    '(allow process-exec process-fork sysctl-read)',
    '(allow signal process-info* (target same-sandbox))',
    '(allow ipc-posix-sem ipc-posix-shm* pseudo-tty)',
    rule('allow mach-lookup', 'global-name', SERVICES),
    // The folders around what is shown: a program must be able to find where it is, not what else is there.
    rule('allow file-read-metadata', 'literal', foldersAround(shown)),
    rule('allow file-read*', 'literal', ['/']),
    rule('allow file-read*', 'subpath', shown),
    rule('allow file-read* file-write-data file-ioctl', 'literal', DEVICES),
    '(allow file-read* file-write-data (subpath "/dev/fd"))',
    rule('allow file-write*', 'subpath', writable),
    rule('deny file-write*', 'subpath', guarded),
    rule('deny file-read* file-write*', 'subpath', hidden),
    '(deny network*)',
    // There is no network of its own here: the loopback is the machine's. Servers of tests need it.
    '(allow network* (local ip "localhost:*"))',
    '(allow network-outbound (remote ip "localhost:*"))',
    rule('allow network*', 'subpath', writable),
    rule('allow network-outbound', 'literal', sockets),
    '',
  ]
    .filter((line) => line !== null)
    .join('\n')
}

function rule(words: string, filter: 'literal' | 'subpath' | 'global-name', names: readonly string[]): string | null {
  const filters = [...new Set(names)].map((it) => `(${filter} ${quoted(it)})`)
  return filters.length === 0 ? null : `(${words} ${filters.join(' ')})`
}

function foldersAround(paths: readonly string[]): string[] {
  const all = new Set<string>()
  for (const path of paths.filter(isAbsolute)) {
    for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) all.add(folder)
  }
  return [...all]
}

/** A string of the profile's language, a Scheme: only quotes and backslashes mean something in it. */
function quoted(text: string): string {
  if (text === '' || /\p{Cc}|\p{Cs}/u.test(text)) {
    throw new ReeveError('sandbox_failed', { problem: `the path ${JSON.stringify(text)} cannot be written into a profile.` })
  }
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
