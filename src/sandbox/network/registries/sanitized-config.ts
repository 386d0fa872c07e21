import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join, normalize } from 'node:path'
import type { User } from './managers.ts'

/** A file for the home folder of programs in a sandbox. */
export interface SafeFile {
  /** Below the home folder, or below the folder the variable names there. */
  path: string
  variable?: 'CARGO_HOME'
  text: string
}

interface Kind {
  /** Where the user has it: the first that says anything of it counts. Below the home folder where not absolute. */
  from: readonly ((user: User) => string | undefined | readonly string[])[]
  to: Pick<SafeFile, 'path' | 'variable'>
  /** Lines that are kept: an allow-list. What is not here (tokens, passwords, names, client certificates, scripts) does not exist inside. */
  keep: RegExp
}

const at = (path: string) => () => path

const KINDS: readonly Kind[] = [
  {
    from: [
      (user) => user.env['npm_config_userconfig'] ?? user.env['NPM_CONFIG_USERCONFIG'],
      at('.npmrc'),
      (user) => user.machine.map((it) => join(it, 'npmrc')),
    ],
    to: { path: '.npmrc' },
    keep: /^\s*(?:(?:@[\w.-]+:)?registry|replace-registry-host|cafile|ca(?:\[\])?|strict-ssl|fetch-[a-z-]+|maxsockets|legacy-peer-deps|engine-strict|node-linker)\s*=/,
  },
  { from: [at('.yarnrc')], to: { path: '.yarnrc' }, keep: /^\s*"?(?:(?:@[\w.-]+:)?registry|cafile|strict-ssl|network-timeout)"?\s/ },
  {
    from: [at('.yarnrc.yml')],
    to: { path: '.yarnrc.yml' },
    // The names of scopes are lines of their own.
    keep: /^(?:(?:npmRegistryServer|npmScopes|httpsCaFilePath|enableStrictSsl|httpTimeout|nodeLinker):|\s+(?:npmRegistryServer:|["']?@?[\w.-]+["']?:\s*$))/,
  },
  {
    from: [
      (user) => user.env['PIP_CONFIG_FILE'],
      at('.config/pip/pip.conf'),
      at('.pip/pip.conf'),
      at('Library/Application Support/pip/pip.conf'),
      (user) => user.machine.map((it) => join(it, 'pip.conf')),
    ],
    to: { path: '.config/pip/pip.conf' },
    // A value goes on over lines that begin with a space.
    keep: /^(?:\[[\w-]+\]|(?:index-url|extra-index-url|find-links|no-index|cert|trusted-host|timeout|retries)\s*[=:]|\s+(?:https?:|file:|\/))/,
  },
  {
    from: [at('.config/uv/uv.toml')],
    to: { path: '.config/uv/uv.toml' },
    keep: /^(?:\[\[?(?:index|pip)\]\]?|\s*(?:name|url|default|explicit|index-url|extra-index-url|find-links|index-strategy|native-tls|system-certs)\s*=)/,
  },
  {
    from: [(user) => join(user.env['CARGO_HOME'] ?? '.cargo', 'config.toml'), (user) => join(user.env['CARGO_HOME'] ?? '.cargo', 'config')],
    to: { path: 'config.toml', variable: 'CARGO_HOME' },
    keep: /^(?:\[(?:source|registries|registry|http)(?:\.[\w."-]+)?\]|\s*(?:registry|index|replace-with|default|protocol|cainfo|directory)\s*=)/,
  },
  { from: [at('.bundle/config')], to: { path: '.bundle/config' }, keep: /^(?:---|BUNDLE_MIRROR__\S+:|BUNDLE_SSL_CA_CERT:)/ },
  {
    from: [(user) => user.env['GOENV'], at('.config/go/env')],
    to: { path: '.config/go/env' },
    keep: /^(?:GOPROXY|GOSUMDB|GONOSUMDB|GONOPROXY|GOPRIVATE|GOTOOLCHAIN)=/,
  },
]

/**
 * The user's configuration of package managers as programs in a sandbox may see it: where packages come from and whom to trust, and nothing
 * that is secret: no tokens, no passwords, no credentials within addresses, no value that names a variable. `readable` are the certificates
 * and the folders of packages it names, to be shown inside at their own place.
 */
export async function sanitizedConfig(user: User): Promise<{ files: SafeFile[]; readable: string[] }> {
  const files = (await Promise.all(KINDS.map(async (kind) => await sanitize(kind, user)))).filter((it) => it !== null)
  const texts = [
    ...files.map((it) => it.text),
    ...Object.entries(user.env).flatMap(([name, value]) => (FOLDERS.test(name) ? [`find-links = ${value}`] : [])),
  ]
  const named = (pattern: RegExp) => [...new Set(texts.flatMap((it) => [...it.matchAll(pattern)].map((found) => found[1] ?? '')))]
  const certificates = await Promise.all(named(CERTIFICATE).map(async (it) => ((await holdsCertificates(it)) ? [it] : [])))
  const folders = await Promise.all(named(FOLDER).map(async (it) => ((await isPackageFolder(it, user)) ? [it] : [])))
  const maven = await mavenMirrors(user)
  return { files: maven === null ? files : [...files, maven], readable: [...certificates, ...folders].flat() }
}

const FOLDERS = /^(?:PIP|UV)_(?:FIND_LINKS|INDEX_URL|EXTRA_INDEX_URL|INDEX|DEFAULT_INDEX)$/
const CERTIFICATE = /^\s*"?(?:cafile|cert|cainfo|httpsCaFilePath|BUNDLE_SSL_CA_CERT)"?\s*[=: ]\s*["']?([^\s"']+)/gm
const FOLDER = /(?:file:\/\/|find-links\s*[=:]\s*|^\s+)(\/[^\s"',]+)/gm

/** Text without the credentials of the addresses in it: `https://name:secret@host` becomes `https://host`. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^/\s"'<>?#]{0,2000}@/gi, '$1')
}

async function sanitize({ from, to, keep }: Kind, user: User): Promise<SafeFile | null> {
  for (const path of from.flatMap((it) => it(user) ?? [])) {
    // A home folder is no secret, and is another one inside.
    const text = (await textOf(path, user)).replaceAll('${HOME}', user.home).replaceAll(/(=\s*["']?)~\//g, `$1${user.home}/`)
    const lines = text.split(/\r?\n/).filter((it) => keep.test(it) && !it.includes('${'))
    if (lines.length > 0) return { ...to, text: `${withoutCredentials(lines.join('\n'))}\n` }
  }
  return null
}

async function textOf(path: string, user: User): Promise<string> {
  return await readFile(isAbsolute(path) ? path : join(user.home, path), 'utf8').catch(() => '')
}

/** Maven's file holds passwords beside the mirrors: only these are taken over. */
async function mavenMirrors(user: User): Promise<SafeFile | null> {
  const text = (await textOf('.m2/settings.xml', user)).replaceAll(/<!--[^]*?-->/g, '')
  const mirrors = /<mirrors>[^]*?<\/mirrors>/.exec(text)?.[0]
  return mirrors === undefined ? null : { path: '.m2/settings.xml', text: `<settings>${withoutCredentials(mirrors)}</settings>\n` }
}

/** A folder of packages, such as a mirror on a disk: not one that holds the user's home. */
async function isPackageFolder(path: string, { home }: User): Promise<boolean> {
  const folder = normalize(path).replace(/\/$/, '')
  if (`${home}/`.startsWith(`${folder}/`)) return false
  return (await stat(folder).catch(() => null))?.isDirectory() ?? false
}

// Bundles of all public authorities have 200 KB.
const MOST_CERTIFICATE_BYTES = 4 * 1024 * 1024

/** Is this a file of certificates, and of nothing secret? */
async function holdsCertificates(path: string): Promise<boolean> {
  const stats = isAbsolute(path) ? await stat(path).catch(() => null) : null
  if (!stats?.isFile() || stats.size > MOST_CERTIFICATE_BYTES) return false
  const text = await readFile(path, 'latin1').catch(() => '')
  return text.includes('-----BEGIN CERTIFICATE-----') && !text.includes('PRIVATE KEY')
}
