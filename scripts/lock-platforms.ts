/**
 * Completes package-lock.json with the optional packages of other platforms. npm leaves out those that it could not look at while it wrote
 * the lockfile, and `npm ci` then refuses the file on every machine. Their versions are exact in the packages that ask for them; the platform is in
 * their names. Run after each change of a dependency: node scripts/lock-platforms.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface Entry {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

/** `@x/binding-linux-x64-musl` -> linux, x64, musl. */
function platformOf(name: string): Pick<Entry, 'os' | 'cpu' | 'libc'> {
  const words = name.replace(/^.*\//, '').split('-')
  const os = SYSTEMS.find((it) => words.includes(it))
  const cpu = PROCESSORS.find((it) => words.includes(it))
  const musl = words.some((it) => it.startsWith('musl'))
  const glibc = words.some((it) => it.startsWith('gnu'))
  return {
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(os ? { os: [os] } : {}),
    ...(os === 'linux' && (musl || glibc) ? { libc: [musl ? 'musl' : 'glibc'] } : {}),
  }
}

const path = 'package-lock.json'
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, Entry> }
const added: string[] = []
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, wanted] of Object.entries(entry.optionalDependencies ?? {})) {
    const top = `node_modules/${name}`
    // Another version lies at the top: this one lies inside the package that asks for it.
    const at = lock.packages[top] && lock.packages[top].version !== wanted ? `${place}/${top}` : top
    if (lock.packages[at] || !/^\d/.test(wanted)) continue
    lock.packages[at] = { version: wanted, ...(entry.dev ? { dev: true } : {}), optional: true, ...platformOf(name) }
    added.push(`${name}@${wanted}`)
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added.length} packages of other platforms added`)
