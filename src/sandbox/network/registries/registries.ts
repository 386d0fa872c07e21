import type { AllowedHost } from '../../port.ts'
import { isPublicName, keyOf } from '../target.ts'
import { type FileKind, LOCKFILES, MANIFESTS, type ManagerName, PROJECT_CONFIGURATION } from './lockfiles.ts'
import { askManager, type User } from './managers.ts'

/** Files of a project at one commit. */
export interface Files {
  /** From the root, with `/`. */
  paths: readonly string[]
  /** null when it cannot be read. */
  read(path: string): Promise<string | null>
}

/** A host that may be reached, and who named it. */
export interface Registry extends AllowedHost {
  because: string
}
/** A host that was named and may not be reached. */
export interface RefusedRegistry {
  host: string
  port: number
  because: string
  reason: string
}

/** What is not the project's own: lockfiles of its dependencies and of projects that tests work on. */
const NOT_ITS_OWN = /(?:^|\/)(?:node_modules|vendor|third_party|fixtures|__fixtures__|testdata)\//
// Of the largest monorepos; more would be read for minutes.
const MOST_FILES = 200
// Lockfiles of the largest projects have 5 MB.
const MOST_CHARACTERS = 32 * 1024 * 1024

/**
 * Where the packages of a project come from: the hosts its lockfiles name, and those that its package managers say they use. Give it the files
 * of the base commit: a lockfile that a change has written allows nothing. What only the project names must be an https host at port 443;
 * what the user's own configuration names is taken as it is.
 */
export async function registriesOf(files: Files, user: User): Promise<{ hosts: Registry[]; refused: RefusedRegistry[] }> {
  const found = await readAll(files, LOCKFILES)
  const manifests = MANIFESTS.filter(({ path }) => ownPaths(files).some((it) => path.test(it)))
  const managers = [...new Set([...found.flatMap((it) => it.kind.manager ?? []), ...manifests.map((it) => it.manager)])]
  const answers = await Promise.all(managers.map(async (name) => ({ name, ...(await askManager(name, user, textsOf(found, name))) })))
  const own = answers.flatMap(({ name, own }) => own.map((url) => ({ url, because: `your configuration of ${name}` })))
  const ownKeys = new Set(own.flatMap(({ url }) => keyOfUrl(url)))
  const named = [
    ...found.flatMap(({ path, urls }) => urls.map((url) => ({ url, because: path }))),
    ...answers.flatMap(({ name, says }) => says.map((url) => ({ url, because: `${name} itself` }))),
  ]
  const hosts = new Map<string, Registry>()
  const refused = new Map<string, RefusedRegistry>()
  for (const { url, because } of [...own, ...named]) {
    const host = hostOf(url)
    if (host === null || hosts.has(keyOf(host))) continue
    const mine = ownKeys.has(keyOf(host))
    const reason = mine ? null : whyNot(host)
    if (reason === null) hosts.set(keyOf(host), { host: host.host, port: host.port, own: mine, because })
    else refused.set(keyOf(host), { host: host.host, port: host.port, because, reason })
  }
  return { hosts: [...hosts.values()], refused: [...refused.values()] }
}

/** Hosts that the files of a change name and those of its base do not, with the file; lockfiles and what redirects package managers. */
export async function addedHosts(base: Files, change: Files): Promise<{ host: string; port: number; file: string }[]> {
  const kinds = [...LOCKFILES, ...PROJECT_CONFIGURATION]
  const [before, after] = await Promise.all([readAll(base, kinds), readAll(change, kinds)])
  const known = new Set(before.flatMap(({ urls }) => urls.flatMap(keyOfUrl)))
  const added = new Map<string, { host: string; port: number; file: string }>()
  for (const { path, urls } of after) {
    for (const host of urls.flatMap((it) => hostOf(it) ?? [])) {
      const key = keyOf(host)
      if (!known.has(key) && !added.has(key)) added.set(key, { host: host.host, port: host.port, file: path })
    }
  }
  return [...added.values()]
}

interface Found {
  path: string
  kind: FileKind
  text: string
  urls: string[]
}

async function readAll(files: Files, kinds: readonly FileKind[]): Promise<Found[]> {
  const wanted = ownPaths(files).flatMap((path) => kinds.filter((it) => it.path.test(path)).map((kind) => ({ path, kind })))
  const found: Found[] = []
  // One after another: each reading may be a program that is started.
  for (const { path, kind } of wanted.slice(0, MOST_FILES)) {
    const text = await files.read(path)
    if (text !== null && text.length <= MOST_CHARACTERS) found.push({ path, kind, text, urls: kind.read(text) })
  }
  return found
}

function ownPaths({ paths }: Files): string[] {
  return paths.filter((path) => !NOT_ITS_OWN.test(path))
}

function textsOf(found: readonly Found[], manager: ManagerName): string[] {
  return found.filter((it) => it.kind.manager === manager).map((it) => it.text)
}

interface NamedHost {
  host: string
  port: number
  secure: boolean
}

function hostOf(text: string): NamedHost | null {
  const url = URL.parse(text.replace(/^(?:git|registry|sparse)\+/, ''))
  if (!url || !/^https?:$/.test(url.protocol)) return null
  const secure = url.protocol === 'https:'
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (secure ? 443 : 80)), secure }
}

function keyOfUrl(url: string): string[] {
  const host = hostOf(url)
  return host === null ? [] : [keyOf(host)]
}

function whyNot({ host, port, secure }: NamedHost): string | null {
  if (!isPublicName(host)) return 'it is an address or a bare word; name it in your own configuration if it is your registry'
  if (!secure) return 'it is used without TLS; name it in your own configuration if it is your registry'
  return port === 443 ? null : `it is at port ${port}; name it in your own configuration if it is your registry`
}
