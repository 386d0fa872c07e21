/**
 * What tools look for below HOME, as data: the variable that tells them where it is, where it usually lies, and what it holds.
 * `tools`: programs and libraries. `packages`: downloads from registries. `builds`: caches that any build writes. `private`: may hold passwords.
 */
export interface HomePlace {
  name: string
  folders: readonly string[]
  holds: 'tools' | 'packages' | 'builds' | 'private'
  /** The parts of it that a sandbox shows, where it holds private things too; absent: all of it. */
  show?: readonly string[]
  /** Named in sandboxes alone: with the user's own home outside, tools find it, or would write into it. */
  confined?: true
}

export const HOME_PLACES: readonly HomePlace[] = [
  { name: 'RUSTUP_HOME', folders: ['.rustup'], holds: 'tools' },
  { name: 'CARGO_HOME', folders: ['.cargo'], holds: 'packages', show: ['bin', 'registry', 'git'] },
  { name: 'GOPATH', folders: ['go'], holds: 'builds' },
  { name: 'GOMODCACHE', folders: ['go/pkg/mod'], holds: 'packages' },
  { name: 'GOCACHE', folders: ['.cache/go-build', 'Library/Caches/go-build'], holds: 'builds' },
  { name: 'PYENV_ROOT', folders: ['.pyenv'], holds: 'tools' },
  { name: 'RBENV_ROOT', folders: ['.rbenv'], holds: 'tools' },
  { name: 'NVM_DIR', folders: ['.nvm'], holds: 'tools' },
  { name: 'VOLTA_HOME', folders: ['.volta'], holds: 'tools' },
  { name: 'FNM_DIR', folders: ['.local/share/fnm', 'Library/Application Support/fnm'], holds: 'tools' },
  { name: 'ASDF_DIR', folders: ['.asdf'], holds: 'tools' },
  { name: 'ASDF_DATA_DIR', folders: ['.asdf'], holds: 'tools' },
  { name: 'MISE_DATA_DIR', folders: ['.local/share/mise'], holds: 'tools' },
  { name: 'SDKMAN_DIR', folders: ['.sdkman'], holds: 'tools' },
  { name: 'GRADLE_USER_HOME', folders: ['.gradle'], holds: 'builds' },
  { name: 'MIX_HOME', folders: ['.mix'], holds: 'tools' },
  { name: 'HEX_HOME', folders: ['.hex'], holds: 'packages', show: ['packages', 'cache.ets'] },
  { name: 'COURSIER_CACHE', folders: ['.cache/coursier'], holds: 'packages' },
  { name: 'STACK_ROOT', folders: ['.stack'], holds: 'builds' },
  { name: 'DENO_DIR', folders: ['.cache/deno'], holds: 'packages' },
  { name: 'BUN_INSTALL', folders: ['.bun'], holds: 'tools' },
  { name: 'BUN_INSTALL_CACHE_DIR', folders: ['.bun/install/cache'], holds: 'packages', show: [] },
  // Its store is below it. Programs that were installed by it are found on the search path.
  { name: 'PNPM_HOME', folders: ['.local/share/pnpm', 'Library/pnpm'], holds: 'builds' },
  { name: 'npm_config_cache', folders: ['.npm'], holds: 'packages', show: [] },
  { name: 'npm_config_userconfig', folders: ['.npmrc'], holds: 'private' },
  { name: 'PIP_CONFIG_FILE', folders: ['.config/pip/pip.conf', '.pip/pip.conf'], holds: 'private' },
  { name: 'PIP_CACHE_DIR', folders: ['.cache/pip', 'Library/Caches/pip'], holds: 'packages', show: [] },
  { name: 'PYTHONUSERBASE', folders: ['.local'], holds: 'packages', show: ['bin', 'lib'], confined: true },
  { name: 'UV_CACHE_DIR', folders: ['.cache/uv'], holds: 'packages', show: [] },
  // Where gems are installed; those of the system and of version managers are still found.
  { name: 'GEM_HOME', folders: [], holds: 'packages', show: [] },
  { name: 'BUNDLE_USER_CACHE', folders: ['.bundle/cache'], holds: 'packages' },
  { name: 'CCACHE_DIR', folders: ['.ccache', '.cache/ccache'], holds: 'builds' },
]

/** Programs below the home that have no variable: where Python's user installs and tool managers put them. */
export const HOME_TOOLS: readonly string[] = [
  '.local/bin',
  '.local/lib',
  '.local/pipx',
  '.local/share/pipx',
  '.local/share/uv/tools',
  '.local/share/uv/python',
  '.local/share/pypoetry',
]

/** Files that hold passwords, wherever a toolchain keeps them beside its programs: a sandbox shows them empty. */
export const PRIVATE_FILES: readonly string[] = [
  'credentials',
  'credentials.toml',
  '.credentials',
  'auth.json',
  'settings.xml',
  'settings-security.xml',
  'gradle.properties',
  'etc/npmrc',
  '.npmrc',
  '.netrc',
  'hex.config',
]

/** Local repository of Maven, which has no variable of its own. */
export const MAVEN_REPOSITORY = '.m2/repository'

/** Variables whose values are folders and files of toolchains, several joined by ":". What they name is shown in a sandbox. */
export const TOOL_VARIABLES: readonly string[] = [
  'PATH JAVA_HOME JDK_HOME M2_HOME MAVEN_HOME GRADLE_HOME ANDROID_HOME ANDROID_SDK_ROOT DOTNET_ROOT GOROOT CONDA_PREFIX GEM_HOME GEM_PATH',
  'PERL5LIB CMAKE_PREFIX_PATH PKG_CONFIG_PATH SDKROOT LD_LIBRARY_PATH LIBRARY_PATH CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH DEVELOPER_DIR',
  'NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO CARGO_HTTP_CAINFO PIP_CERT',
  'npm_config_cafile NPM_CONFIG_CAFILE NIX_SSL_CERT_FILE LOCALE_ARCHIVE COREPACK_HOME',
].flatMap((line) => line.split(' '))
