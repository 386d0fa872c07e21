import { posix } from 'node:path'
import type { Manifest } from './manifests/read.ts'
import type { RepoScan } from './port.ts'

type PackageManager = RepoScan['packageManagers'][number]

interface Known {
  name: string
  manifests: readonly string[]
  lockfiles: readonly string[]
  /** Something in a manifest that says it is this one, where the same manifest serves several; the words go into the reason. */
  says?: { pattern: RegExp; words: string }
  /** Managers that share the manifest: the first that a lockfile or a word names wins, else the one marked `otherwise`. */
  family?: string
  otherwise?: boolean
}

const PACKAGE_MANAGERS: readonly Known[] = [
  ...[
    { name: 'pnpm', lockfiles: ['pnpm-lock.yaml'], says: { pattern: /"packageManager"\s*:\s*"pnpm@/, words: 'packageManager' } },
    { name: 'yarn', lockfiles: ['yarn.lock'], says: { pattern: /"packageManager"\s*:\s*"yarn@/, words: 'packageManager' } },
    { name: 'bun', lockfiles: ['bun.lock', 'bun.lockb'], says: { pattern: /"packageManager"\s*:\s*"bun@/, words: 'packageManager' } },
    { name: 'npm', lockfiles: ['package-lock.json', 'npm-shrinkwrap.json'], otherwise: true },
  ].map((it) => ({ ...it, manifests: ['package.json'], family: 'node' })),
  { name: 'poetry', manifests: ['pyproject.toml'], lockfiles: ['poetry.lock'], says: table('tool.poetry'), family: 'python' },
  { name: 'uv', manifests: ['pyproject.toml'], lockfiles: ['uv.lock'], says: table('tool.uv'), family: 'python' },
  { name: 'pdm', manifests: ['pyproject.toml'], lockfiles: ['pdm.lock'], says: table('tool.pdm'), family: 'python' },
  { name: 'pipenv', manifests: ['Pipfile'], lockfiles: ['Pipfile.lock'], family: 'python' },
  {
    name: 'pip',
    manifests: ['requirements.txt', 'pyproject.toml', 'setup.py', 'setup.cfg'],
    lockfiles: [],
    family: 'python',
    otherwise: true,
  },
  { name: 'cargo', manifests: ['Cargo.toml'], lockfiles: ['Cargo.lock'] },
  { name: 'go modules', manifests: ['go.mod'], lockfiles: ['go.sum'] },
  { name: 'maven', manifests: ['pom.xml'], lockfiles: [] },
  { name: 'gradle', manifests: ['build.gradle.kts', 'build.gradle'], lockfiles: ['gradle.lockfile'] },
  { name: 'mix', manifests: ['mix.exs'], lockfiles: ['mix.lock'] },
  { name: 'bundler', manifests: ['Gemfile'], lockfiles: ['Gemfile.lock'] },
  { name: 'cmake', manifests: ['CMakeLists.txt'], lockfiles: [] },
  { name: 'conan', manifests: ['conanfile.txt', 'conanfile.py'], lockfiles: ['conan.lock'] },
  { name: 'vcpkg', manifests: ['vcpkg.json'], lockfiles: ['vcpkg-lock.json'] },
  { name: 'composer', manifests: ['composer.json'], lockfiles: ['composer.lock'] },
]

/**
 * The package managers and build systems with their manifests, the outermost of each: packages of a workspace below it are covered unless
 * they have a lockfile of their own.
 */
export function packageManagersOf(manifests: readonly Manifest[], files: readonly string[]): PackageManager[] {
  const known = new Set(files)
  const texts = new Map(manifests.map((it) => [it.path, it.text]))
  const families = [...Map.groupBy(PACKAGE_MANAGERS, (it) => it.family ?? it.name).values()]
  return families.flatMap((family) => {
    const names = new Set(family.flatMap((it) => it.manifests))
    const folders = [...new Set(files.filter((it) => names.has(posix.basename(it))).map((it) => posix.dirname(it)))]
    const found = folders.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1)).flatMap((it) => inFolder(it, family, known, texts))
    return found.filter((it) => it.lockfile !== null || !found.some((other) => isAbove(other, it)))
  })
}

function inFolder(
  folder: string,
  family: readonly Known[],
  files: ReadonlySet<string>,
  texts: ReadonlyMap<string, string>,
): PackageManager[] {
  const here = (name: string) => posix.join(folder, name)
  const candidates = family.flatMap((it) => {
    const manifest = it.manifests.map(here).find((path) => files.has(path))
    return manifest === undefined ? [] : [{ it, manifest, lockfile: it.lockfiles.map(here).find((path) => files.has(path)) ?? null }]
  })
  const locked = candidates.filter((it) => it.lockfile !== null)
  if (locked.length > 0)
    return locked.map(({ it, manifest, lockfile }) => ({ name: it.name, manifest, lockfile, reason: `${manifest} with ${lockfile}` }))
  const told = candidates.find(({ it, manifest }) => it.says?.pattern.test(texts.get(manifest) ?? ''))
  if (told) return [one(told.it, told.manifest, `${told.it.says?.words} in ${told.manifest}`)]
  const plain = candidates.find(({ it }) => it.otherwise === true || it.says === undefined)
  return plain
    ? [one(plain.it, plain.manifest, plain.it.lockfiles.length > 0 ? `${plain.manifest}, no lockfile` : `${plain.manifest} exists`)]
    : []
}

function one(it: Known, manifest: string, reason: string): PackageManager {
  return { name: it.name, manifest, lockfile: null, reason }
}

function isAbove(other: PackageManager, it: PackageManager): boolean {
  const above = posix.dirname(other.manifest)
  return other !== it && above !== posix.dirname(it.manifest) && (above === '.' || it.manifest.startsWith(`${above}/`))
}

function table(name: string): { pattern: RegExp; words: string } {
  return { pattern: new RegExp(`^\\[${name.replaceAll('.', '\\.')}[\\].]`, 'm'), words: `[${name}]` }
}
