import { homedir } from 'node:os'
import { isAbsolute, join, normalize, sep } from 'node:path'
import { ISOLATION_LEVELS, type IsolationLevel } from '../core/isolation.ts'
import type { Settings } from '../core/settings.ts'
import { type Env, reeveFolders } from './home.ts'
import { type Assignment, isTable, type Problem } from './layers.ts'

/** What all layers say together, and which of it comes from a file of the project: a stranger may have written that. */
export interface Said {
  tree: Record<string, unknown>
  /** Dotted keys whose value in force comes from a file of the project. */
  fromProject: ReadonlySet<string>
  /** Dotted keys whose value in force came out of a variable. */
  filled: ReadonlySet<string>
  where: (key: string) => string
}

// What these open is the user's, not the project's.
const OWN_ONLY = ['sandbox.read', 'sandbox.private_hosts', 'network.proxy', 'network.no_proxy', 'network.ca_bundle']
// The same for whole tables: they are about the machine, not about one project.
const OWN_TABLES = ['daemon', 'queue', 'webhooks', 'telemetry', 'mcp']

// Shown to whatever asks for another host, and looked up: the value of a variable would get out by its name.
const SHOWN = ['sandbox.hosts', 'sandbox.image']

/** What a file of the project says and only the user may: folders to read, hosts of a private network, a lower level of isolation. */
export function projectProblems(said: Said, own: Record<string, unknown>, ownFile: string): Problem[] {
  const tables = [...said.fromProject].filter((key) => OWN_TABLES.includes(key.split('.')[0] ?? ''))
  const set = [...OWN_ONLY.filter((key) => said.fromProject.has(key)), ...tables].map((key) => ({
    where: said.where(key),
    problem: `a project's file may not set ${key}; put it into your own configuration: ${ownFile}`,
  }))
  const shown = SHOWN.filter((key) => said.fromProject.has(key) && said.filled.has(key)).map((key) => ({
    where: said.where(key),
    problem: `a project's file may not put the value of a variable into ${key}; write it out`,
  }))
  return [...set, ...shown, ...lowered(said, own, 'minimum', ownFile), ...lowered(said, own, 'level', ownFile)]
}

function lowered(said: Said, own: Record<string, unknown>, name: 'minimum' | 'level', ownFile: string): Problem[] {
  const key = `sandbox.${name}`
  const wanted = sandboxValue(said.tree, name)
  if (!said.fromProject.has(key) || wanted === undefined) return []
  const mine = sandboxValue(own, name)
  if (strength(wanted) >= strength(mine ?? 'auto')) return []
  const instead = name === 'minimum' ? ', or use --accept-isolation' : ''
  return [
    {
      where: said.where(key),
      problem: `${key} is "${wanted}", and a project's file may not lower it (${mine === undefined ? 'the default is stronger' : `yours is "${mine}"`}); put it into your own configuration: ${ownFile}${instead}`,
    },
  ]
}

/**
 * Does a file of the project make runs wait for a person, which needs less isolation, while nobody else has said so, nor how much is needed?
 * That would lower it, too.
 */
export function lowersByAutonomy(said: Said, own: Record<string, unknown>): boolean {
  const asked = (tree: Record<string, unknown>) => (isTable(tree['runs']) ? tree['runs']['autonomy'] : undefined)
  const manual = asked(said.tree) === 'manual' && said.fromProject.has('runs.autonomy')
  return manual && asked(own) !== 'manual' && sandboxValue(said.tree, 'minimum') === undefined
}

/** What the user has set as the most that may be spent, or asked of an account. */
const BUDGETS = ['max_usd', 'max_tokens', 'max_attempt_usd', 'max_step_usd']
const RATES = ['max_concurrent', 'requests_per_minute', 'tokens_per_minute', 'burst']

/** Without what a project's file says that would lift a limit of the user's own; `lifted`: a sentence each. */
export function withinLimits(
  theirs: readonly Assignment[],
  own: Record<string, unknown>,
): { assignments: readonly Assignment[]; lifted: string[] } {
  const lifts = (it: Assignment) => isLifted(it, own)
  const lifted = theirs.filter(lifts).map((it) => `${it.where}: ${it.path.join('.')} would lift a limit of yours, which counts.`)
  return { assignments: theirs.filter((it) => !lifts(it)), lifted }
}

function isLifted({ path, value }: Assignment, own: Record<string, unknown>): boolean {
  const last = path.at(-1) ?? ''
  const isLimit = (path.length === 2 && path[0] === 'runs' && BUDGETS.includes(last)) || (isProviders(path) && RATES.includes(last))
  if (isLimit) {
    const mine = valueAt(own, path)
    // What comes out of a variable is not known here: nobody needs it for a limit.
    return typeof mine === 'number' && !(typeof value === 'number' && value <= mine)
  }
  // Under another account the limits of this one would not hold.
  return isProviders(path) && last === 'account' && RATES.some((it) => valueAt(own, [...path.slice(0, 2), it]) !== undefined)
}

function isProviders(path: readonly string[]): boolean {
  return path.length === 3 && path[0] === 'providers'
}

function valueAt(tree: Record<string, unknown>, path: readonly string[]): unknown {
  return path.reduce<unknown>((it, key) => (isTable(it) && Object.hasOwn(it, key) ? it[key] : undefined), tree)
}

type Word = IsolationLevel | 'auto'

/** Something else than a known word is the schema's to name. */
function sandboxValue(tree: Record<string, unknown>, name: string): Word | undefined {
  const table = tree['sandbox']
  const value = isTable(table) ? table[name] : undefined
  return ['auto', ...ISOLATION_LEVELS].includes(String(value)) ? (value as Word) : undefined
}

/** `auto`, and what is absent, stand for a sandbox of the operating system. */
function strength(word: Word): number {
  return ISOLATION_LEVELS.indexOf(word === 'auto' ? 'os-sandbox' : word)
}

/** `~/` at the beginning of a path is the user's home. */
export function expandHome(path: string, env: Env): string {
  return path === '~' || path.startsWith('~/') ? join(homeOf(env), path.slice(1)) : path
}

function homeOf(env: Env): string {
  const home = env['HOME']
  return home !== undefined && isAbsolute(home) ? home : homedir()
}

const KERNEL_FOLDERS = ['/proc', '/sys', '/dev']
/** A socket can be connected to where it can only be read. */
const SHARED_FOLDERS = new Set(['/run', '/var/run', '/tmp', '/var', '/var/tmp'])

/** Folders that may not be shown to programs of a run, and hosts that are none. */
export function sandboxProblems({ sandbox }: Settings, env: Env, where: (path: readonly string[]) => string): Problem[] {
  const at = (key: string, problems: readonly string[]) => problems.map((it) => ({ where: where(['sandbox', key]), problem: it }))
  return [
    ...at(
      'read',
      sandbox.read.flatMap((it) => readProblem(it, env)),
    ),
    ...at('image', sandbox.image === undefined || IMAGE.test(sandbox.image) ? [] : [imageProblem(sandbox.image)]),
    ...at(
      'hosts',
      sandbox.hosts.flatMap((it) => hostProblem('sandbox.hosts', it, false)),
    ),
    ...at(
      'private_hosts',
      sandbox.private_hosts.flatMap((it) => hostProblem('sandbox.private_hosts', it, true)),
    ),
  ]
}

/** It stands on command lines, also on those that people are told to copy. */
const IMAGE = /^[a-z0-9][\w.:/@-]*$/i

function imageProblem(given: string): string {
  return `sandbox.image is "${given}", which is no name of an image; allowed: letters, digits and ".", "_", "-", "/", ":", "@", such as "node:24"`
}

function readProblem(given: string, env: Env): string[] {
  const refuse = (why: string) => [`sandbox.read names "${given}", ${why}`]
  const path = normalize(expandHome(given, env)).replace(/(?<=.)\/$/, '')
  if (!isAbsolute(path)) return refuse('which is no absolute path; allowed: "/opt/tool" or "~/tool"')
  if (path === sep) return refuse('which is everything; name the folders that are needed')
  const kernel = KERNEL_FOLDERS.find((it) => holds(it, path))
  if (kernel !== undefined) return refuse(`and ${kernel} shows other programs and the machine itself; each program has its own`)
  if (SHARED_FOLDERS.has(path)) return refuse('which holds the sockets and files of other programs; name the folders in it that are needed')
  if (holds(path, homeOf(env))) return refuse('which shows your whole home, with its keys; name the folders that are needed')
  const own = Object.values(reeveFolders(env)).find((it) => holds(path, it) || holds(it, path))
  return own === undefined ? [] : refuse(`which shows what reeve keeps in ${own}; name other folders`)
}

function holds(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + sep)
}

const NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i
const ADDRESS = /^(?:\d{1,3}\.){3}\d{1,3}$/

function hostProblem(key: string, given: string, addresses: boolean): string[] {
  const refuse = (why: string) => [`${key} names "${given}", ${why}; allowed: "name" or "name:port", such as "npm.example.com"`]
  if (given.includes('://')) return refuse('which is a URL')
  if (given.includes('*')) return refuse('which is a pattern: each host has to be named')
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(given) ?? []
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return refuse('whose port is none')
  if (ADDRESS.test(name)) return addresses ? [] : refuse('which is an address; your own configuration may name it in sandbox.private_hosts')
  if (!NAME.test(name) || /(?:^|\.)\d+$/.test(name)) return refuse('which is no name of a host')
  // `localhost`, `registry`: a name of this machine or of its own network.
  return addresses || name.includes('.')
    ? []
    : refuse('which is no public name; your own configuration may name it in sandbox.private_hosts')
}
