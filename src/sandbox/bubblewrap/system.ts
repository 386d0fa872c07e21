import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** What programs need of the system: an allow-list. `/etc` is shown by name; most of it is nobody's business. */
const FOLDERS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store', '/run/current-system', '/gnu/store']
const ETC = [
  // The loader, and where Debian's alternatives lead.
  'ld.so.cache alternatives',
  // Who is trusted; the private keys beside the certificates are not shown.
  'ssl/certs ssl/cert.pem ssl/openssl.cnf pki/tls/certs pki/tls/cert.pem pki/tls/openssl.cnf pki/ca-trust/extracted crypto-policies',
  'localtime locale.conf mime.types os-release fonts static',
  'protocols services',
  // Configuration of toolchains as the system installs them. Java's runtime image links here.
  'maven gemrc python3 java erlang elixir texmf R php',
].flatMap((line) => line.split(' '))
const ETC_PATTERN = /^(?:java-.+|python3\.\d+|php)$/

// What container engines make read-only, and what they hide.
const KERNEL = ['/proc/sys', '/proc/irq', '/proc/bus', '/proc/fs', '/proc/acpi', '/proc/scsi', '/proc/sysrq-trigger']
const HIDDEN = [
  '/proc/kcore',
  '/proc/keys',
  '/proc/timer_list',
  '/proc/sched_debug',
  '/proc/latency_stats',
  '/proc/kallsyms',
  '/proc/slabinfo',
  '/proc/vmallocinfo',
]

export interface SystemView {
  readable: string[]
  links: Map<string, string>
  /** Parts of `/proc` that are shown read-only, and those that are shown empty. */
  kernel: string[]
  hidden: string[]
}

/** Which of them are on this machine: folders and files to show, and links (`/bin` leads to `usr/bin` on most). Made once per process. */
export async function systemView(): Promise<SystemView> {
  const isThere = async (paths: readonly string[]) =>
    (await Promise.all(paths.map(async (it) => ((await lstat(it).catch(() => null)) ? [it] : [])))).flat()
  const view: SystemView = { readable: [], links: new Map(), kernel: await isThere(KERNEL), hidden: await isThere(HIDDEN) }
  const named = (await readdir('/etc').catch(() => [])).filter((it) => ETC_PATTERN.test(it))
  for (const path of [...FOLDERS, ...[...new Set([...ETC, ...named])].map((it) => join('/etc', it))]) {
    const stats = await lstat(path).catch(() => null)
    if (!stats) continue
    if (stats.isSymbolicLink()) view.links.set(path, await readlink(path))
    else view.readable.push(path)
  }
  return view
}
