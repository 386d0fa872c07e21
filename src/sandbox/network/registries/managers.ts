import { readdir, readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { parseJson } from '../../../core/json.ts'
import { cargoConfiguration, iniUrls, type ManagerName, npmRegistries, yarnRegistries } from './lockfiles.ts'

/** The user's side of the matter. */
export interface User {
  env: Readonly<Record<string, string | undefined>>
  home: string
  /** Folders where this machine keeps configuration of all its users: `/etc` and others. */
  machine: readonly string[]
  /**
   * Output of one of the user's own tools, run outside of the project, so that no file of it has a say; null when it is not there or failed.
   */
  run(argv: readonly [string, ...string[]]): Promise<string | null>
}

interface Manager {
  /** Environment variables of the user that name registries. */
  variables: RegExp
  /** The user's own files that do; below the home folder where they are not absolute. */
  files: readonly { at: string | ((user: User) => readonly (string | undefined)[]); read: (text: string) => string[] }[]
  /** What the manager itself says it uses, its own defaults included: read from its output or its own files, without network. */
  asks: (user: User, texts: readonly string[]) => Promise<string[]>
}

/** Registries of a manager: those the user has named, and those it says it uses. */
export interface Answer {
  own: string[]
  says: string[]
}

const NPM_FILES: Manager['files'] = [
  { at: (user) => [user.env['npm_config_userconfig'] ?? user.env['NPM_CONFIG_USERCONFIG']], read: npmRegistries },
  { at: (user) => user.machine.map((it) => join(it, 'npmrc')), read: npmRegistries },
  { at: '.npmrc', read: npmRegistries },
  { at: '.config/pnpm/rc', read: npmRegistries },
  { at: '.yarnrc', read: yarnRegistries },
  { at: '.yarnrc.yml', read: yarnRegistries },
  { at: '.bunfig.toml', read: npmRegistries },
]
const NPM_VARIABLES = /^(?:npm_config_(?:@[\w.-]+:)?registry|BUN_CONFIG_REGISTRY|YARN_REGISTRY|YARN_NPM_REGISTRY_SERVER)$/i

// pip has no command for its defaults. Where a file or a variable names another index, the default one is not used.
const PIP_SAYS = `from pip._internal.models.index import PyPI
from pip._internal.configuration import Configuration
c = Configuration(isolated=False)
c.load()
if not any(key.rsplit('.', 1)[-1] == 'index-url' for key, _ in c.items()):
    print(PyPI.simple_url)
    print('https://' + PyPI.file_storage_domain)
`
// Bundler fetches the list of gems from another host than the one in the lockfile.
const BUNDLER_SAYS = `require "bundler/fetcher"
ARGV.each { |url| remote = Bundler::Source::Rubygems::Remote.new(Bundler::URI(url))
Bundler::Fetcher::FETCHERS.each { |it| puts((it.new(nil, remote, remote.uri).fetch_uri rescue (it.new(nil, remote, remote.uri, nil).fetch_uri rescue ""))) } }`

const asking =
  (...argv: [string, ...string[]]) =>
  async (user: User): Promise<string[]> =>
    urlsIn((await user.run(argv)) ?? '')

const MANAGERS: Readonly<Record<ManagerName, Manager>> = {
  npm: { variables: NPM_VARIABLES, files: NPM_FILES, asks: asking('npm', 'config', 'get', 'registry') },
  pnpm: { variables: NPM_VARIABLES, files: NPM_FILES, asks: asking('pnpm', 'config', 'get', 'registry') },
  yarn: { variables: NPM_VARIABLES, files: NPM_FILES, asks: yarnSays },
  pip: {
    variables:
      /^(?:PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:EXTRA_)?INDEX(?:_URL)?|UV_DEFAULT_INDEX|UV_FIND_LINKS|PIPENV_PYPI_MIRROR)$/,
    files: [
      { at: (user) => [user.env['PIP_CONFIG_FILE'], ...user.machine.map((it) => join(it, 'pip.conf'))], read: pipUrls },
      { at: '.config/pip/pip.conf', read: pipUrls },
      { at: '.pip/pip.conf', read: pipUrls },
      { at: 'Library/Application Support/pip/pip.conf', read: pipUrls },
      { at: '.config/uv/uv.toml', read: uvUrls },
    ],
    asks: asking('python3', '-c', PIP_SAYS),
  },
  go: {
    variables: /^(?:GOPROXY|GOSUMDB)$/,
    files: [
      { at: (user) => [user.env['GOENV']], read: goUrls },
      { at: '.config/go/env', read: goUrls },
      { at: 'Library/Application Support/go/env', read: goUrls },
    ],
    asks: goSays,
  },
  cargo: {
    variables: /^CARGO_(?:REGISTRIES|SOURCE)_\w+_(?:INDEX|REGISTRY)$/,
    files: [{ at: (user) => ['config.toml', 'config'].map((it) => join(cargoHome(user), it)), read: cargoConfiguration }],
    asks: cargoSays,
  },
  bundler: {
    variables: /^BUNDLE_MIRROR__/,
    files: [
      { at: '.bundle/config', read: (text) => (text.match(/^BUNDLE_MIRROR.*$/gm) ?? []).flatMap(urlsIn) },
      { at: '.gemrc', read: urlsIn },
    ],
    asks: bundlerSays,
  },
  hex: { variables: /^HEX_(?:MIRROR|API|CDN)(?:_URL)?$/, files: [], asks: asking('mix', 'hex.repo', 'list') },
  maven: {
    variables: /^$/,
    files: [{ at: '.m2/settings.xml', read: (text) => [...text.matchAll(/<url>\s*(https?:[^<\s]+)/g)].map((it) => it[1] ?? '') }],
    asks: mavenSays,
  },
}

/** Asks the user's configuration and the manager itself. `texts`: the lockfiles that made it known. */
export async function askManager(name: ManagerName, user: User, texts: readonly string[]): Promise<Answer> {
  const manager = MANAGERS[name]
  const variables = Object.entries(user.env).flatMap(([key, value]) => (manager.variables.test(key) && value ? [value] : []))
  const files = await Promise.all(
    manager.files.flatMap(({ at, read }) => {
      const paths = (typeof at === 'string' ? [at] : at(user)).filter((it) => it !== undefined)
      return paths.map(async (path) => read(await textOf(isAbsolute(path) ? path : join(user.home, path))))
    }),
  )
  const named = variables.flatMap((it) => (name === 'go' ? goList(it) : urlsIn(it)))
  return { own: [...named, ...files.flat()], says: await manager.asks(user, texts) }
}

function urlsIn(text: string): string[] {
  return text.match(/https?:\/\/[^\s"'|,]+/g) ?? []
}

async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '')
}

function pipUrls(text: string): string[] {
  return Object.values(iniUrls(text)).flat()
}

function uvUrls(text: string): string[] {
  return (text.match(/^\s*(?:url|index-url|extra-index-url|default-index|find-links)\s*=.*$/gm) ?? []).flatMap(urlsIn)
}

/** The first version and the later ones call it by different names; the one that is not known prints no address. */
async function yarnSays(user: User): Promise<string[]> {
  const answers = await Promise.all(['registry', 'npmRegistryServer'].map((it) => user.run(['yarn', 'config', 'get', it])))
  return answers.flatMap((it) => urlsIn(it ?? ''))
}

/** Entries of `GOPROXY` and `GOSUMDB`: addresses, bare names (with a key behind a plus), and words. */
function goList(text: string): string[] {
  return text.split(/[,|\s]+/).flatMap((it) => {
    if (it.includes('://')) return [it]
    const name = it.split('+')[0] ?? ''
    return name.includes('.') ? [`https://${name}`] : []
  })
}

function goUrls(text: string): string[] {
  return [...text.matchAll(/^(?:GOPROXY|GOSUMDB)=(.*)$/gm)].flatMap((it) => goList(it[1] ?? ''))
}

/** Where modules are fetched from their own hosts, the module paths name them. */
async function goSays(user: User, texts: readonly string[]): Promise<string[]> {
  const said = await user.run(['go', 'env', 'GOPROXY', 'GOSUMDB'])
  if (said === null) return []
  const modules = said.startsWith('direct')
    ? texts.flatMap((it) => it.match(/^[ \t]*(?:require )?[a-z0-9.-]+\.[a-z]{2,}\/\S+ v/gm) ?? [])
    : []
  return [...goList(said), ...modules.map((it) => `https://${it.trim().replace('require ', '').split('/')[0]}`)]
}

function cargoHome(user: User): string {
  return user.env['CARGO_HOME'] ?? join(user.home, '.cargo')
}

/** Cargo has no command for it. Once it has been used, its own folder holds what the index says about itself. */
async function cargoSays(user: User): Promise<string[]> {
  const folder = join(cargoHome(user), 'registry/index')
  const names = await readdir(folder).catch(() => [])
  const hosts = names.flatMap((it) => /^(.+)-[0-9a-f]{16}$/.exec(it)?.[1] ?? [])
  const configs = await Promise.all(names.map((it) => textOf(join(folder, it, 'config.json'))))
  return [...hosts.map((it) => `https://${it}`), ...configs.flatMap(downloadsOf)]
}

function downloadsOf(config: string): string[] {
  try {
    const { dl } = parseJson(config, 'config.json') as { dl?: string }
    return dl === undefined ? [] : [dl.replace(/\{[^]*$/, '')]
  } catch {
    return [] // not there, or not cargo's: it names no host
  }
}

async function bundlerSays(user: User, texts: readonly string[]): Promise<string[]> {
  const remotes = [...new Set(texts.flatMap((it) => [...it.matchAll(/^[ \t]+remote: (https?:\S+)/gm)].map((found) => found[1] ?? '')))]
  return remotes.length === 0 ? [] : urlsIn((await user.run(['ruby', '-rbundler', '-e', BUNDLER_SAYS, ...remotes])) ?? '')
}

/** Maven's default is in the model that all others inherit from, a file in one of its own archives. */
async function mavenSays(user: User): Promise<string[]> {
  const home = /Maven home: (.+)$/m.exec((await user.run(['mvn', '--version'])) ?? '')?.[1]?.trim()
  if (home === undefined) return []
  const archive = (await readdir(join(home, 'lib')).catch(() => [])).find((it) => /^maven-model-builder-.*\.jar$/.test(it))
  if (archive === undefined) return []
  const model = await user.run(['unzip', '-p', join(home, 'lib', archive), 'org/apache/maven/model/pom-4.0.0.xml'])
  return [...(model ?? '').matchAll(/<url>\s*(https?:[^<\s]+)/g)].map((it) => it[1] ?? '')
}
