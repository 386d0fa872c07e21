import { isAbsolute } from 'node:path'
import type { z } from 'zod'
import { nearest } from '../core/errors.ts'
import { EVENT_TYPES, isOfTypes } from '../core/event.ts'
import type { ProviderSettings, Settings } from '../core/settings.ts'
import { GATE_NAMES } from '../core/verdict.ts'
import { isLoopback } from './consent.ts'
import type { Env } from './home.ts'
import { isTable, type Problem } from './layers.ts'
import { isKey, isSecretName, isVariableName, looksLikeSecret, providersOf } from './secrets.ts'
import { allowed, knownKeys, shapeAt } from './shape.ts'
import { unknownKey } from './variables.ts'

/** Where the value of a key comes from: the key's own place, else that of the nearest table around it. */
export type WhereOf = (path: readonly string[]) => string

/** What the schema found, as sentences that name the key, what was there and what is allowed. */
export function schemaProblems(issues: readonly z.core.$ZodIssue[], tree: unknown, where: WhereOf, filled: ReadonlySet<string>): Problem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ where: where([...path, key]), problem: unknownKey([...path, key], knownKeys(path)) }))
    }
    return [{ where: where(path), problem: wrongValue(path, tree, filled) }]
  })
}

function wrongValue(path: readonly string[], tree: unknown, filled: ReadonlySet<string>): string {
  const key = path.filter((it) => !/^\d+$/.test(it)).join('.')
  const shape = shapeAt(path)
  const may = shape ? `; allowed: ${allowed(shape)}` : ''
  const value = valueAt(tree, path)
  if (value === undefined) return `${key} is missing${may}`
  const secret = filled.has(path.join('.')) || path[2] === 'headers' || path[2] === 'api_key_env' || path[2] === 'secret_env'
  return `${key} is ${secret ? 'not what is wanted' : shown(value)}${may}`
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  let value = tree
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)]
    else if (isTable(value)) value = value[key]
    else return undefined
  }
  return value
}

const SHOWN = 60 // enough to recognise one's own value

function shown(value: unknown): string {
  if (isTable(value)) return 'a table'
  const text = value instanceof Date ? value.toISOString() : JSON.stringify(value)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}

/** What the schema cannot say: names that must fit each other, keys where names of variables are wanted. */
export function meaningProblems(settings: Settings, where: WhereOf): Problem[] {
  return [
    ...providerProblems(settings, where),
    ...routingProblems(settings, where),
    ...webhookProblems(settings, where),
    ...gateProblems(settings, where),
  ]
}

/** What kinds cannot do without, besides those whose own sentence says more. */
const NEEDS: Readonly<Partial<Record<ProviderSettings['kind'], { key: 'file' | 'module' | 'model'; what: string }>>> = {
  replay: { key: 'file', what: 'a recording, or the id of a recorded run' },
  llamacpp: { key: 'file', what: 'a GGUF file, or the name of an added model' },
  plugin: { key: 'module', what: 'the path or the package of its module' },
  ollama: { key: 'model', what: 'the name of a model' },
}

function providerProblems(settings: Settings, where: WhereOf): Problem[] {
  const names = providersOf(settings).map(([name]) => name)
  const unknown = settings.providers.order.filter((it) => !names.includes(it))
  return [
    ...unknown.map((it) => ({ where: where(['providers', 'order']), problem: noSuchProvider('providers.order', it, names) })),
    ...names.flatMap((name) => nameProblems(name, where)),
    ...providersOf(settings).flatMap(([name, provider]) => {
      const key = `providers.${name}`
      const at = (inner: string) => where(['providers', name, inner])
      const found: Problem[] = []
      if (provider.kind === 'openai-compatible' && provider.base_url === undefined) {
        found.push({ where: at('kind'), problem: `${key}.base_url is missing; kind "openai-compatible" needs the server's URL` })
      }
      if (provider.kind !== 'plugin' && provider.base_url !== undefined && !isPlainAddress(provider.base_url)) {
        found.push({
          where: at('base_url'),
          problem: `${key}.base_url is no plain address; allowed: http or https, without "?", "#" and a password`,
        })
      }
      if (provider.api_key_env !== undefined && provider.api_key_file !== undefined) {
        found.push({ where: at('api_key_file'), problem: `${key} has both api_key_env and api_key_file; a key has one place` })
      }
      if (provider.kind === 'llamacpp' && provider.style === 'tools') {
        found.push({ where: at('style'), problem: `${key}.style is "tools", which kind "llamacpp" cannot do; allowed: "proposals"` })
      }
      const needed = NEEDS[provider.kind]
      if (needed !== undefined && provider[needed.key] === undefined) {
        found.push({ where: at('kind'), problem: `${key}.${needed.key} is missing; kind "${provider.kind}" needs ${needed.what}` })
      }
      if (provider.kind === 'scripted' && provider.file === undefined) {
        found.push({ where: at('kind'), problem: `${key}.file is missing; kind "scripted" needs the YAML file of its replies` })
      }
      if ((provider.kind === 'command' || provider.kind === 'acp') && provider.binary === undefined) {
        found.push({ where: at('kind'), problem: `${key}.binary is missing; kind "${provider.kind}" needs the program` })
      }
      if (provider.binary !== undefined && provider.binary.includes('/') && !isAbsolute(provider.binary)) {
        found.push({
          where: at('binary'),
          problem: `${key}.binary is ${shown(provider.binary)}; allowed: a name on the search path, or an absolute path`,
        })
      }
      return found
    }),
  ]
}

/** A name is written on command lines, in lists and messages. */
function nameProblems(name: string, where: WhereOf): Problem[] {
  if (/^[\p{L}\p{N}_][^\s\p{C}"',]*$/u.test(name)) return []
  const problem = `${JSON.stringify(name)} is no name for a provider; allowed: a letter, a digit or "_", then no blanks, quotes and commas`
  return [{ where: where(['providers', name]), problem }]
}

function routingProblems(settings: Settings, where: WhereOf): Problem[] {
  const names = providersOf(settings).map(([name]) => name)
  return Object.entries(settings.routing.roles).flatMap(([role, providers]) =>
    providers
      .filter((it) => !names.includes(it))
      .map((it) => ({ where: where(['routing', 'roles', role]), problem: noSuchProvider(`routing.roles.${role}`, it, names) })),
  )
}

/** A webhook that waits for an event that does not exist is never told of anything. */
function webhookProblems(settings: Settings, where: WhereOf): Problem[] {
  return Object.entries(settings.webhooks).flatMap(([name, { url, events }]) => {
    const { username, password } = new URL(url)
    const named =
      `${username}${password}` === ''
        ? []
        : [
            {
              where: where(['webhooks', name, 'url']),
              problem: `webhooks.${name}.url has a name or a password, which is not sent; what a receiver can check is the signature (secret_env)`,
            },
          ]
    const unknown = events.filter((it) => !Object.keys(EVENT_TYPES).some((type) => isOfTypes(type, [it])))
    const untold = unknown.map((it) => ({
      where: where(['webhooks', name, 'events']),
      problem: `webhooks.${name}.events names ${shown(it)}, which is no type of event; allowed: those of docs/reference/events.md, such as "run.finished", and "run.*" for all of a kind`,
    }))
    return [...named, ...untold]
  })
}

/** What is put behind it must be the path that is asked for. */
function isPlainAddress(text: string): boolean {
  const { protocol, search, hash, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && `${search}${hash}${username}${password}` === '' && !/[?#]/.test(text)
}

/** A key written where the name of a variable belongs, or plainly among other texts. Checked before anything prints, and never prints it. */
export function keyProblems(tree: unknown, where: WhereOf, filled: ReadonlySet<string>): Problem[] {
  const tableOf = (key: string) => (isTable(tree) && isTable(tree[key]) ? tree[key] : {})
  const providers = tableOf('providers')
  return [
    ...namedKeyProblems(['providers', 'api_key_env'], providers, where),
    ...namedKeyProblems(['webhooks', 'secret_env'], tableOf('webhooks'), where),
    ...plainKeyProblems(providers, where, filled),
  ]
}

function namedKeyProblems([table, field]: readonly [string, string], named: Record<string, unknown>, where: WhereOf): Problem[] {
  return Object.entries(named).flatMap(([name, it]) => {
    const value = isTable(it) ? it[field] : undefined
    if (typeof value !== 'string') return []
    const at = where([table, name, field])
    const key = `${table}.${name}.${field}`
    if (looksLikeSecret(value)) {
      return [
        {
          where: at,
          problem: `${key} holds what looks like a key itself; write the name of the environment variable that holds it, such as "MY_API_KEY", and change the key`,
        },
      ]
    }
    return isVariableName(value)
      ? []
      : [{ where: at, problem: `${key} is no name of an environment variable; allowed: letters, digits and "_", such as "MY_API_KEY"` }]
  })
}

/** What came out of a variable is where it belongs. */
function plainKeyProblems(providers: Record<string, unknown>, where: WhereOf, filled: ReadonlySet<string>): Problem[] {
  return Object.entries(providers).flatMap(([name, provider]) => {
    const texts = isTable(provider) ? PLAIN.flatMap((key) => textsIn(provider[key], [key])) : []
    return texts.flatMap(([path, text]) => {
      const key = ['providers', name, ...path].join('.')
      if (filled.has(key) || !isKey(text)) return []
      const instead = path[0] === 'env' ? `name a variable that holds it in providers.${name}.secrets_env` : 'write "${MY_VARIABLE}"'
      return [
        {
          where: where(['providers', name, ...path]),
          problem: `${key} holds what looks like a key itself; ${instead}, and change the key`,
        },
      ]
    })
  })
}

const PLAIN = ['headers', 'env', 'args', 'options']

function textsIn(value: unknown, path: string[]): [string[], string][] {
  if (typeof value === 'string') return [[path, value]]
  if (Array.isArray(value)) return value.flatMap((it) => textsIn(it, path))
  return isTable(value) ? Object.entries(value).flatMap(([key, it]) => textsIn(it, [...path, key])) : []
}

function noSuchProvider(key: string, name: string, names: readonly string[]): string {
  const near = nearest(name, names)
  if (near !== undefined) return `${key} names "${name}", which is not configured; did you mean "${near}"?`
  return `${key} names "${name}", which is not configured; ${names.length > 0 ? `configured: ${names.join(', ')}` : `add a [providers.${name}] table`}`
}

function gateProblems(settings: Settings, where: WhereOf): Problem[] {
  const own = Object.entries(settings.gates).filter(([name]) => !(GATE_NAMES as readonly string[]).includes(name))
  return own.flatMap(([name, gate]) => {
    if (gate === undefined || gate.command !== undefined) return []
    const near = nearest(name, GATE_NAMES)
    const tail = near === undefined ? 'reeve does not know it, so it needs one' : `did you mean "gates.${near}"?`
    return [{ where: where(['gates', name]), problem: `gates.${name} has no command; ${tail}` }]
  })
}

/** Not wrong, but worth a line. */
export function warningsOf(settings: Settings, env: Env): string[] {
  return providersOf(settings).flatMap(([name, provider]) => {
    const found: string[] = []
    const plain = provider.base_url?.startsWith('http://') === true && !isLoopback(provider.base_url)
    if (plain && provider.api_key_env !== undefined)
      found.push(`providers.${name} sends its key without encryption, to ${provider.base_url}.`)
    if (provider.api_key_env !== undefined && (env[provider.api_key_env] ?? '') === '') {
      found.push(`providers.${name} needs the environment variable ${provider.api_key_env}, which is not set.`)
    }
    const written = Object.keys(provider.headers).filter((it) => isSecretName(it))
    if (written.length > 0)
      found.push(`providers.${name}.headers holds ${written.join(', ')}: keep its value in a variable, as "\${MY_VARIABLE}".`)
    return found
  })
}
