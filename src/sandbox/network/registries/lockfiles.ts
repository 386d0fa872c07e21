import { parseJson } from '../../../core/json.ts'

/** A package manager that is asked about its registry. */
export type ManagerName = 'npm' | 'pnpm' | 'yarn' | 'pip' | 'go' | 'cargo' | 'bundler' | 'hex' | 'maven'

/** A kind of file of a project that names where packages come from. */
export interface FileKind {
  /** Fits the path from the project's root. */
  path: RegExp
  /** Addresses it names. Text that is not of this kind gives none; must not throw. */
  read: (text: string) => string[]
  /** Who uses it, and so which registry it uses besides. */
  manager?: ManagerName
}

/**
 * Reads the first group of each match that has one. The text may be written to make that slow: a pattern looks for spaces on one line and for
 * a few of them at most where two such searches meet, and never for the end of something from each of its beginnings.
 */
const each =
  (pattern: RegExp) =>
  (text: string): string[] =>
    [...text.matchAll(pattern)].flatMap(([, ...groups]) => groups.find((it) => it !== undefined) ?? [])

const none = () => []

/** Files that fix what is installed: what they name in the base may be reached. One line per kind. */
export const LOCKFILES: readonly FileKind[] = [
  { path: /(?:^|\/)(?:package-lock|npm-shrinkwrap)\.json$/, read: each(/"resolved":\s*"([^"]+)"/g), manager: 'npm' },
  { path: /(?:^|\/)pnpm-lock\.yaml$/, read: each(/\b(?:tarball|repo):\s*['"]?(https?:[^\s'",}]+)/g), manager: 'pnpm' },
  { path: /(?:^|\/)yarn\.lock$/, read: yarnLock, manager: 'yarn' },
  // A yarn that is part of the project says which registry it uses; it is read, not run.
  { path: /(?:^|\/)\.yarn\/releases\/yarn-[\w.-]+\.c?js$/, read: each(/npmRegistryServer:\{[^}]{0,400}?default:["'`](https?:[^"'`]+)/g) },
  { path: /(?:^|\/)bun\.lock$/, read: each(/^[ \t]+"[^"\n]+": \["(?:[^"]*@(https?:[^"]+)|[^"]*", "(https?:[^"]+))"/gm), manager: 'npm' },
  { path: /(?:^|\/)bun\.lockb$/, read: none, manager: 'npm' },
  { path: /(?:^|\/)uv\.lock$/, read: each(/\b(?:registry|url|git) = "(https?:[^"]+)"/g), manager: 'pip' },
  { path: /(?:^|\/)(?:poetry|pdm)\.lock$/, read: each(/\burl = "(https?:[^"]+)"/g), manager: 'pip' },
  { path: /(?:^|\/)pylock(?:\.[\w-]+)?\.toml$/, read: each(/\b(?:url|index) = ["'](https?:[^"']+)/g), manager: 'pip' },
  { path: /(?:^|\/)Pipfile\.lock$/, read: each(/"(?:url|file|git)":\s*"(https?:[^"]+)"/g), manager: 'pip' },
  { path: /(?:^|\/)(?:[\w.-]*(?:requirements|constraints)[\w.-]*|requirements\/[\w.-]+)\.txt$/, read: requirements, manager: 'pip' },
  { path: /(?:^|\/)Cargo\.lock$/, read: cargoLock, manager: 'cargo' },
  { path: /(?:^|\/)go\.(?:mod|sum)$/, read: none, manager: 'go' },
  { path: /(?:^|\/)(?:Gemfile\.lock|gems\.locked)$/, read: each(/^[ \t]+remote: (https?:\S+)/gm), manager: 'bundler' },
  { path: /(?:^|\/)mix\.lock$/, read: each(/\{:git, "(https?:[^"]+)"/g), manager: 'hex' },
  { path: /(?:^|\/)composer\.lock$/, read: composerLock },
  { path: /(?:^|\/)pom\.xml$/, read: mavenRepositories, manager: 'maven' },
  {
    path: /(?:^|\/)(?:build|settings)\.gradle(?:\.kts)?$/,
    read: each(/\b(?:url|maven)[ \t]{0,9}[=(]?[ \t]{0,9}(?:uri\([ \t]{0,9})?["'](https?:[^"']+)/g),
  },
  { path: /(?:^|\/)(?:gradle|maven)-wrapper\.properties$/, read: wrapperProperties },
  { path: /(?:^|\/)Package\.resolved$/, read: each(/"location"\s*:\s*"(https?:[^"]+)"/g) },
  { path: /(?:^|\/)pubspec\.lock$/, read: each(/\burl: "(https?:[^"]+)"/g) },
]

/** A project without a lockfile still installs from where its manager does. */
export const MANIFESTS: readonly Required<Pick<FileKind, 'path' | 'manager'>>[] = [
  { path: /(?:^|\/)package\.json$/, manager: 'npm' },
  { path: /(?:^|\/)(?:pyproject\.toml|setup\.py|setup\.cfg|Pipfile)$/, manager: 'pip' },
  { path: /(?:^|\/)Cargo\.toml$/, manager: 'cargo' },
  { path: /(?:^|\/)mix\.exs$/, manager: 'hex' },
]

const REGISTRY_LINE = /^[ \t]*(?:@[\w.-]+:)?registry[ \t]*=[ \t]*["']?(https?:[^\s"']+)/gm
const YARN_LINE = /^[ \t]*(?:npmRegistryServer|registry|"registry")(?::[ \t]*|[ \t]+)["']?(https?:[^\s"']+)/gm

/**
 * Files of a project that send package managers elsewhere. They allow nothing: a registry of your own is named by your own configuration.
 * They are read to say what a change would redirect.
 */
export const PROJECT_CONFIGURATION: readonly FileKind[] = [
  { path: /(?:^|\/)\.npmrc$/, read: each(REGISTRY_LINE) },
  { path: /(?:^|\/)\.yarnrc(?:\.yml)?$/, read: each(YARN_LINE) },
  { path: /(?:^|\/)bunfig\.toml$/, read: each(/\b(?:registry|url)\s*=\s*["'](https?:[^"']+)/g) },
  { path: /(?:^|\/)(?:pip\.conf|pip\.ini|setup\.cfg|\.pydistutils\.cfg)$/, read: (text) => Object.values(iniUrls(text)).flat() },
  {
    path: /(?:^|\/)(?:pyproject|uv)\.toml$/,
    read: each(/^[ \t]*(?:url|index-url|extra-index-url|find-links)[ \t]*=[ \t]{0,9}\[?[ \t]{0,9}["'](https?:[^"']+)/gm),
  },
  { path: /(?:^|\/)Pipfile$/, read: each(/^[ \t]*url[ \t]*=[ \t]*["'](https?:[^"']+)/gm) },
  { path: /(?:^|\/)\.cargo\/config(?:\.toml)?$/, read: cargoConfiguration },
  { path: /(?:^|\/)(?:Gemfile|gems\.rb)$/, read: each(/^[ \t]*source[ \t(]+["'](https?:[^"']+)/gm) },
  { path: /(?:^|\/)\.bundle\/config$/, read: each(/^BUNDLE_MIRROR\S*:\s*["']?(https?:[^\s"']+)/gm) },
  { path: /(?:^|\/)(?:nuget\.config|NuGet\.Config)$/, read: each(/\bvalue="(https?:[^"]+)"/g) },
]

/** The first version names the address; later ones only where it is not the default, escaped or as the package's own address. */
function yarnLock(text: string): string[] {
  const plain = each(/^[ \t]+resolved "([^"]+)"|^[ \t]+resolution: "[^"\n]{0,1000}?@(https?:[^"]+)"/gm)(text)
  const escaped = each(/[&:]__archiveUrl=([^&"\s]+)/g)(text).flatMap((it) => URL.parse(unescaped(it))?.href ?? [])
  return [...plain, ...escaped]
}

/**
 * A registry is named by the repository of its index, `…/<name>-index`, also where cargo asks the sparse index at `index.<name>` instead and
 * gets the packages from `static.<name>`.
 */
function cargoLock(text: string): string[] {
  const sources = each(/^source = "(?:registry|sparse|git)\+(https?:[^"]+)"/gm)(text)
  const named = each(/^source = "registry\+https:\/\/[^"]+\/([a-z0-9-]+\.[a-z0-9.-]+)-index"/gm)(text)
  return [...sources, ...named.flatMap((it) => [`https://index.${it}/`, `https://static.${it}/`])]
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return '' // no address, so no host
  }
}

function requirements(text: string): string[] {
  const lines = text.split('\n').filter((it) => !/^\s*#/.test(it))
  return lines.flatMap((line) => [...line.matchAll(/(?:^|[\s=@]|git\+|hg\+)(https?:\/\/[^\s#;]+)/g)].map((it) => it[1] ?? ''))
}

/** Only what is fetched: the file also holds home pages and donation pages. */
function composerLock(text: string): string[] {
  type Package = { dist?: { url?: string }; source?: { url?: string } }
  try {
    const lock = parseJson(text, 'composer.lock') as { packages?: Package[]; 'packages-dev'?: Package[] }
    return [...(lock.packages ?? []), ...(lock['packages-dev'] ?? [])]
      .flatMap((it) => [it.dist?.url, it.source?.url])
      .filter((it) => typeof it === 'string')
  } catch {
    return [] // composer will say that its file is broken; until then it names no host
  }
}

function mavenRepositories(text: string): string[] {
  const reading = without(without(text, '<!--', '-->'), '<distributionManagement>', '</distributionManagement>')
  const blocks = reading.split(/<(?:pluginRepository|repository)>/).slice(1)
  return blocks.flatMap((it) => each(/<url>\s*(https?:[^<\s]+)/g)(it.split(/<\/(?:pluginRepository|repository)>/, 1)[0] ?? ''))
}

/** Text without what stands between two marks; from a mark that is never closed, all of it. */
function without(text: string, begin: string, end: string): string {
  const [first = '', ...rest] = text.split(begin)
  return [first, ...rest.map((it) => it.slice(it.includes(end) ? it.indexOf(end) + end.length : it.length))].join('')
}

function wrapperProperties(text: string): string[] {
  return each(/^[ \t]*(?:distributionUrl|wrapperUrl)[ \t]*=[ \t]*(\S+)/gm)(text).map((it) => it.replaceAll('\\', ''))
}

/** Addresses of an INI file by key; a value may go on over lines that begin with a space. */
export function iniUrls(text: string): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  let key = ''
  for (const line of text.split('\n')) {
    if (/^\s*[#;]/.test(line)) continue
    const begin = /^([\w.-]+)\s*[=:]/.exec(line)
    if (begin) key = begin[1] ?? ''
    if (!/^(?:index-url|extra-index-url|find-links|index_url|find_links)$/.test(key)) continue
    const urls = (found[key] ??= [])
    urls.push(...(line.match(/https?:\/\/[^\s"']+/g) ?? []))
  }
  return found
}

/** Addresses of registries in an `.npmrc`. */
export function npmRegistries(text: string): string[] {
  return each(REGISTRY_LINE)(text)
}

/** The same in a `.yarnrc` or `.yarnrc.yml`. */
export function yarnRegistries(text: string): string[] {
  return each(YARN_LINE)(text)
}

/** The same in cargo's `config.toml`. */
export function cargoConfiguration(text: string): string[] {
  return each(/^[ \t]*(?:registry|index)[ \t]*=[ \t]*["'](?:sparse\+|registry\+)?(https?:[^"']+)/gm)(text)
}
