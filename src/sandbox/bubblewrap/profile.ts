import type { Limits } from '../limits/port.ts'

/** Descriptors the sandbox is started with; 0 to 2 are the program's own. */
export const FD = { info: 3, seccomp: 4, begun: 5 } as const

/** What a sandbox looks like from inside. All paths absolute and real; they appear at the same place. */
export interface View {
  /** Read: parts of the system, toolchains, git objects. */
  readable: readonly string[]
  /** Parts of `/proc` that are not for writing. */
  kernel: readonly string[]
  /** Files that are there and empty, within folders that are shown. */
  masked: readonly string[]
  /** Path inside -> file that is shown there, read-only. */
  shown: ReadonlyMap<string, string>
  /** Path inside -> what the link says. */
  links: ReadonlyMap<string, string>
  /** Written. Mounted after all that is read, so that a folder within a readable one is writable. */
  writable: readonly string[]
  /** Read, although within a folder that is written. Mounted last. */
  guarded: ReadonlyMap<string, string>
  /** Folders that are there and empty, although within one that is written. */
  emptied: readonly string[]
  cwd: string
  limits: Pick<Limits, 'tmpBytes' | 'sharedMemoryBytes'>
}

/**
 * The arguments of bwrap up to and without `--`. Nothing of the host is there but what the view names: the root is an empty tmpfs, read-only
 * when all is mounted. The order matters: later mounts cover earlier ones.
 */
export function bwrapArguments(view: View): string[] {
  return [
    ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-net', '--unshare-cgroup-try'],
    // No further user namespaces: without them a program has no way to capabilities.
    ['--disable-userns'],
    // Both are needed for all to die with the sandbox: the namespace kills its members, this kills the namespace.
    ['--die-with-parent'],
    // No controlling terminal, so nothing can be typed into it.
    ['--new-session'],
    ['--cap-drop', 'ALL', '--hostname', 'reeve'],
    ['--info-fd', `${FD.info}`, '--seccomp', `${FD.seccomp}`],
    ['--proc', '/proc'],
    // Settings of the kernel belong to user 0, whom the sandbox does not make another one: read-only, or not there at all.
    view.kernel.flatMap((it) => ['--ro-bind', it, it]),
    ['--dev', '/dev'],
    ['--size', `${view.limits.sharedMemoryBytes}`, '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ['--size', `${view.limits.tmpBytes}`, '--perms', '1777', '--tmpfs', '/tmp'],
    outermost(view.readable).flatMap((it) => ['--ro-bind', it, it]),
    view.masked.flatMap((it) => ['--ro-bind', '/dev/null', it]),
    [...view.links].flatMap(([at, target]) => ['--symlink', target, at]),
    [...view.shown].flatMap(([at, file]) => ['--ro-bind', file, at]),
    view.writable.flatMap((it) => ['--bind', it, it]),
    [...view.guarded].flatMap(([at, file]) => ['--ro-bind', file, at]),
    view.emptied.flatMap((it) => ['--perms', '0555', '--tmpfs', it, '--remount-ro', it]),
    ['--remount-ro', '/', '--chdir', view.cwd],
  ].flat()
}

/** Paths that lie in no other one of them: each mount takes bwrap a tenth of a millisecond. */
function outermost(paths: readonly string[]): string[] {
  const all = [...new Set(paths)]
  return all.filter((it) => !all.some((other) => it.startsWith(`${other}/`)))
}
