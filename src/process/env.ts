import { existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { HOME_PLACES, MAVEN_REPOSITORY } from './toolchains.ts'

export interface ProgramEnvOptions {
  /** Home folder of the program; made when it is not there. Never the user's own. */
  home: string
  /** Run the program belongs to: marks it with `REEVE_RUN`. */
  run?: string | undefined
  /** Added last, as it is: the caller answers for it. */
  extra?: Readonly<Record<string, string>> | undefined
  /** Where variables are taken from; default: this process's environment. */
  from?: Readonly<Record<string, string | undefined>> | undefined
  /** Where the user's toolchains lie; default: the user's home. */
  realHome?: string | undefined
  /**
   * The program runs in a sandbox that shows nothing of the user's home but toolchains: caches are its own, and `packages` is the folder of
   * what this project has downloaded, where there is one. `installs`: it is what downloads.
   */
  confined?: { packages: string | undefined; installs: boolean } | undefined
}

/** Passed on as they are. An allow-list: what is not here does not exist for the program. */
const PASSED = [
  'USER LOGNAME TZ',
  // Where compilers and language tools live.
  'JAVA_HOME JDK_HOME M2_HOME MAVEN_HOME MAVEN_OPTS GRADLE_HOME ANDROID_HOME ANDROID_SDK_ROOT DOTNET_ROOT',
  'GOROOT GOTOOLCHAIN GOFLAGS GOPROXY GONOSUMDB GONOPROXY GOPRIVATE GOSUMDB',
  'RUSTUP_TOOLCHAIN RUSTUP_DIST_SERVER CARGO_NET_OFFLINE CARGO_HTTP_CAINFO CARGO_BUILD_JOBS',
  'PYENV_VERSION UV_PYTHON UV_OFFLINE UV_INDEX_URL PIP_INDEX_URL PIP_NO_INDEX PIP_FIND_LINKS PIP_CERT CONDA_PREFIX',
  'GEM_HOME GEM_PATH RBENV_VERSION HEX_OFFLINE ERL_AFLAGS PERL5LIB LUA_PATH',
  'CC CXX CPP LD AR CFLAGS CXXFLAGS LDFLAGS CMAKE_PREFIX_PATH CMAKE_GENERATOR PKG_CONFIG_PATH SDKROOT',
  'LD_LIBRARY_PATH LIBRARY_PATH CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH DEVELOPER_DIR MACOSX_DEPLOYMENT_TARGET',
  'NIX_PATH NIX_PROFILES NIX_SSL_CERT_FILE LOCALE_ARCHIVE COREPACK_HOME',
  // The way out and who is trusted on it.
  'HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy',
  'NODE_EXTRA_CA_CERTS NODE_USE_SYSTEM_CA SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO',
  'npm_config_registry NPM_CONFIG_REGISTRY npm_config_cafile NPM_CONFIG_CAFILE npm_config_proxy npm_config_https_proxy',
  'npm_config_noproxy npm_config_offline npm_config_prefer_offline YARN_NPM_REGISTRY_SERVER',
].flatMap((line) => line.split(' '))

/** Besides: what says where programs and the files of their registries are. */
const LOOKED_AT = [
  'PATH HOME TMPDIR XDG_CONFIG_HOME XDG_RUNTIME_DIR npm_execpath npm_lifecycle_event npm_config_userconfig NPM_CONFIG_USERCONFIG',
  'PIP_CONFIG_FILE GOENV NETRC XDG_DATA_HOME XDG_CACHE_HOME DBUS_SESSION_BUS_ADDRESS',
  'DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG DOCKER_CERT_PATH DOCKER_TLS_VERIFY DOCKER_API_VERSION',
  'CONTAINER_HOST CONTAINER_CONNECTION CONTAINER_SSHKEY CONTAINERS_CONF CONTAINERS_CONF_OVERRIDE CONTAINERS_STORAGE_CONF',
  'CONTAINERS_REGISTRIES_CONF STORAGE_DRIVER STORAGE_OPTS',
].flatMap((line) => line.split(' '))

/** What of an environment decides how programs are started and held, and which way out they have. */
export function programsPart(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = new Set([...PASSED, ...LOOKED_AT, ...HOME_PLACES.map((it) => it.name)])
  return Object.fromEntries([...names].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}

const SECRET = /KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|AUTH|COOKIE|SESSION/i

/**
 * The whole environment of a program that works on a project: an allow-list, a home of its own, no colours, no questions, none of the
 * user's git configuration, and nothing whose name looks like a secret. Toolchains below the user's home are still found.
 */
export function programEnv(options: ProgramEnvOptions): Record<string, string> {
  const from = options.from ?? process.env
  const realHome = options.realHome ?? from['HOME'] ?? homedir()
  const { home } = options
  makeHome(home)
  const env: Record<string, string> = {}
  for (const name of PASSED) if (from[name]) env[name] = from[name]
  Object.assign(env, options.confined ? confinedPlaces(from, realHome, options.confined) : userPlaces(from, realHome))
  for (const name of Object.keys(env)) if (looksSecret(name)) delete env[name]

  return {
    ...env,
    PATH: searchPath(from),
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    CI: '1',
    NO_COLOR: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_TERMINAL_PROMPT: '0',
    ...(options.run === undefined ? {} : { REEVE_RUN: options.run }),
    ...options.extra,
  }
}

/** Where the user's own tools and caches lie. A variable of the environment wins over the folder of the real home. */
function userPlaces(from: ProgramEnvOptions['from'] & {}, realHome: string): Record<string, string> {
  const env: Record<string, string> = {}
  for (const { name, folders, confined } of HOME_PLACES) {
    if (confined) continue
    const found = placeOf(name, folders, from, realHome)
    if (found) env[name] = found
  }
  const maven = join(realHome, MAVEN_REPOSITORY)
  if (existsSync(maven)) env['MAVEN_OPTS'] = withRepository(from['MAVEN_OPTS'], maven)
  return env
}

/**
 * The same for a sandbox: tools where they are, packages of the project's own or, for tools its setup has not used, the user's; nothing that
 * builds write or that is private.
 */
function confinedPlaces(
  from: ProgramEnvOptions['from'] & {},
  realHome: string,
  { packages, installs }: ProgramEnvOptions['confined'] & {},
): Record<string, string> {
  const env: Record<string, string> = {}
  const own = (name: string): string | undefined => {
    const folder = packages === undefined ? undefined : join(packages, name.toLowerCase())
    return folder !== undefined && (installs || existsSync(folder)) ? folder : undefined
  }
  for (const { name, folders, holds, show } of HOME_PLACES) {
    if (holds !== 'tools' && holds !== 'packages') continue
    const users = show?.length === 0 ? undefined : placeOf(name, folders, from, realHome)
    const found = holds === 'packages' ? (own(name) ?? users) : users
    if (found !== undefined) env[name] = found
  }
  const maven = own('maven') ?? join(realHome, MAVEN_REPOSITORY)
  if (installs || existsSync(maven)) env['MAVEN_OPTS'] = withRepository(from['MAVEN_OPTS'], maven)
  return env
}

/** Where one place of the table is on this machine, undefined when it is not there. */
export function placeOf(
  name: string,
  folders: readonly string[],
  from: Readonly<Record<string, string | undefined>>,
  realHome: string,
): string | undefined {
  return from[name] ?? folders.map((it) => join(realHome, it)).find((it) => existsSync(it))
}

function withRepository(options: string | undefined, folder: string): string {
  return [options, `-Dmaven.repo.local=${folder}`].filter(Boolean).join(' ')
}

/** Does a variable of this name probably hold a secret? */
export function looksSecret(name: string): boolean {
  return SECRET.test(name)
}

const GITCONFIG = '[user]\n\tname = reeve\n\temail = reeve@localhost\n[init]\n\tdefaultBranch = main\n'

/** Sync on purpose: three calls once per environment, and callers need the environment at once. */
function makeHome(home: string): void {
  const temporary = join(home, 'tmp')
  // Programs have been at work here: what one of them put in its place must neither be followed nor keep all others from starting.
  const found = lstatSync(temporary, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) rmSync(temporary, { force: true })
  mkdirSync(temporary, { recursive: true, mode: 0o700 })
  // Tests that commit need an identity, as they have on a user's machine.
  if (existsSync(join(home, '.gitconfig'))) return
  try {
    // A link that they left must not be written through.
    writeFileSync(join(home, '.gitconfig'), GITCONFIG, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** PATH without relative entries (they would find programs of the task) and without the ones npm puts in front when it starts reeve. */
export function searchPath(from: Readonly<Record<string, string | undefined>>): string {
  const byNpm = from['npm_execpath'] !== undefined || from['npm_lifecycle_event'] !== undefined
  const kept = (from['PATH'] ?? '')
    .split(delimiter)
    .filter((it) => isAbsolute(it) && !(byNpm && /(?:\/node_modules\/\.bin|\/node-gyp-bin)\/?$/.test(it)))
  return kept.length > 0 ? [...new Set(kept)].join(delimiter) : '/usr/local/bin:/usr/bin:/bin'
}
