import { spawnSync } from 'node:child_process'

/** A program, a program with arguments that must exit 0, or `bubblewrap`: one that really starts a sandbox. */
export type Need = string | readonly [string, ...string[]]

/** Needs that are more than a program that is there. */
const KNOWN: Readonly<Record<string, readonly [string, ...string[]]>> = {
  // In a container, or where the system forbids user namespaces, its presence says nothing.
  bubblewrap: ['bwrap', '--unshare-user', '--unshare-pid', '--unshare-net', '--ro-bind', '/', '/', '--proc', '/proc', '--', 'true'],
}

/** Is it on this machine? */
export function isPresent(need: Need): boolean {
  const [program, ...args] = typeof need === 'string' ? (KNOWN[need] ?? [need, '--version']) : need
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}
