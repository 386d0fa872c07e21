import { closeSync, readdirSync, readFileSync } from 'node:fs'

const CLOSE_ON_EXEC = 0o2000000

/**
 * Closes what this process was given open by whoever started it, so that no program it starts gets it. Node hands on descriptors above 15
 * that do not close by themselves. Call it once, before it starts programs; sockets of a service manager (`LISTEN_FDS`) stay. Linux only:
 * elsewhere nothing lists them. Returns the descriptors.
 */
export function closeInherited(env: Readonly<Record<string, string | undefined>> = process.env): number[] {
  if (process.platform !== 'linux') return []
  const last = 2 + Number(env['LISTEN_FDS'] ?? 0)
  const inherited = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > last && isHandedOn(fd))
  for (const fd of inherited) closeSync(fd)
  return inherited
}

function isHandedOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0
  } catch {
    return false // the listing's own, gone by now
  }
}
