import { createHash } from 'node:crypto'
import { isAbsolute, normalize } from 'node:path'
import { CLI_KINDS, type ProviderSettings, type Settings } from '../core/settings.ts'
import type { Assignment } from './layers.ts'
import { providersOf } from './secrets.ts'

/** What a provider does with things of the user's because a file of the project says so. */
export interface Consent {
  provider: string
  /** Where the project says it: `reeve.toml:5`. */
  where: string
  /** `sends the key in K to https://…`, `runs the program "./tool"`. Never values. */
  what: string
  /** Another one when the project says anything else about this provider. */
  hash: string
}

interface Said {
  /** Dotted keys whose value in force comes from a file of the project. */
  fromProject: ReadonlySet<string>
  where: ReadonlyMap<string, string>
}

/** One provider, with what is asked of it and by whom. */
interface Question {
  name: string
  provider: ProviderSettings
  said: Said
  /** What the project says about it, as it is written there. */
  about: readonly Assignment[]
}

/** What needs the user's consent before it is done. */
export function consentsOf(settings: Settings, said: Said, theirs: readonly Assignment[]): Consent[] {
  return providersOf(settings).flatMap(([name, provider]) => {
    const about = theirs.filter((it) => it.path[0] === 'providers' && it.path[1] === name)
    const question = { name, provider, said, about }
    const found = [...addressOf(question), ...programOf(question), ...pricesOf(question, settings.prices)]
    const priced = theirs.filter((it) => it.path[0] === 'prices')
    const whole = [
      name,
      provider.kind,
      provider.api_key_env ?? null,
      ownHeaders(question),
      [...about, ...(found.some((it) => it.key === 'price') ? priced : [])].map((it) => [it.path, it.value]),
    ]
    const hash = createHash('sha256').update(JSON.stringify(whole)).digest('hex')
    return found.map((it) => ({
      provider: name,
      where: said.where.get(`providers.${name}.${it.key}`) ?? 'reeve.toml',
      // On a line of its own, whatever the project has written.
      what: it.what.replaceAll(/\p{C}/gu, ' '),
      hash,
    }))
  })
}

/** A server on this machine needs no consent, nor one that gets nothing but the prompts. What is in a file of the user's is always asked about. */
function addressOf(question: Question): { key: string; what: string }[] {
  const { name, provider, said, about } = question
  const own = (key: string) => !said.fromProject.has(`providers.${name}.${key}`)
  const { base_url: to, api_key_file: file } = provider
  const values = [...new Set(about.flatMap((it) => variablesIn(it.value)))].map((it) => `the value of ${it}`)
  if (to === undefined || own('base_url')) {
    // A gateway may take the address that it goes on to from a header.
    const theirs = to === undefined || isLoopback(to) ? [] : Object.keys(provider.headers).filter((it) => !own(`headers.${it}`))
    const sends = [
      ...(file === undefined || own('api_key_file') ? [] : [`what is in the file ${file}`]),
      ...values,
      ...theirs.map((it) => `the header "${it}"`),
    ]
    const where = to ?? `the models of ${provider.kind}`
    return sends.length === 0 || KEPT_HERE.includes(provider.kind)
      ? []
      : [{ key: file === undefined ? 'kind' : 'api_key_file', what: `sends ${sends.join(' and ')} to ${where}` }]
  }
  if (isLoopback(to)) {
    return file === undefined || own('api_key_file') ? [] : [{ key: 'api_key_file', what: `sends what is in the file ${file} to ${to}` }]
  }
  const sends = [...keyOf(provider), ...values, ...ownHeaders(question).map((it) => `your header "${it}"`)]
  return sends.length === 0 ? [] : [{ key: 'base_url', what: `sends ${sends.join(' and ')} to ${to}` }]
}

/** Nothing leaves this machine. */
const KEPT_HERE: readonly string[] = ['scripted', 'replay', 'llamacpp', 'ollama']

/** Prices decide when a budget is used up: too low ones lift it. What runs on the user's own machine costs what anybody says. */
function pricesOf({ name, provider, said }: Question, prices: Settings['prices']): { key: string; what: string }[] {
  if (KEPT_HERE.includes(provider.kind) || provider.kind === 'plugin') return []
  const says = (key: string) => [...said.fromProject].some((it) => it.startsWith(`${key}.`))
  const models = Object.keys(prices).filter((it) => says(`prices.${it}`) && (provider.model === undefined || sameModel(it, provider.model)))
  const counted = [
    ...(says(`providers.${name}.price`) && provider.price !== undefined ? [['its calls', provider.price] as const] : []),
    ...models.map((it) => [`calls of "${it}"`, prices[it] ?? { input: 0, output: 0 }] as const),
  ]
  return counted.map(([what, { input, output }]) => ({
    key: 'price',
    what: `counts ${what} at $${input} and $${output} for a million tokens in and out`,
  }))
}

/** `gpt-5` and `gpt-5-2026-01-01` have one price. */
function sameModel(priced: string, model: string): boolean {
  return model.startsWith(priced)
}

const KEYLESS: readonly string[] = ['openai-compatible', 'ollama', 'llamacpp', 'scripted', 'replay', 'command', 'acp', 'plugin']

/** Most kinds find a key by themselves. */
function keyOf({ kind, api_key_env, api_key_file }: ProviderSettings): string[] {
  if (api_key_file !== undefined) return [`the key in the file ${api_key_file}`]
  if (api_key_env !== undefined) return [`the key in ${api_key_env}`]
  return KEYLESS.includes(kind) ? [] : [`your key for ${kind}`]
}

function ownHeaders({ name, provider, said }: Question): string[] {
  return Object.keys(provider.headers).filter((it) => !said.fromProject.has(`providers.${name}.headers.${it}`))
}

/** What the project decides about programs of this machine that work with the user's keys and log-ins. */
function programOf({ name, provider, said }: Question): { key: string; what: string }[] {
  const says = (key: string) =>
    [...said.fromProject].some((it) => it === `providers.${name}.${key}` || it.startsWith(`providers.${name}.${key}.`))
  if (provider.kind === 'plugin')
    return [
      ...(says('module') ? [{ key: 'module', what: `loads the module "${provider.module ?? ''}" into reeve itself` }] : []),
      // What they mean only the module knows: an address, maybe.
      ...(says('options') && !says('module')
        ? [{ key: 'options', what: `gives the module "${provider.module ?? ''}" the options ${JSON.stringify(provider.options)}` }]
        : []),
    ]
  if (provider.kind === 'replay')
    return says('file') && isElsewhere(provider.file ?? '') ? [{ key: 'file', what: `answers with the recording "${provider.file}"` }] : []
  // Native code reads it. A name without a path is a model that the user has added.
  if (provider.kind === 'llamacpp')
    return says('file') && /[/\\]|\.gguf$/i.test(provider.file ?? '')
      ? [{ key: 'file', what: `opens the model file "${provider.file}"` }]
      : []
  const isProgram = provider.kind === 'acp' || (CLI_KINDS as readonly string[]).includes(provider.kind)
  if (!isProgram) return []
  const line = [provider.binary ?? provider.kind, ...provider.args].map((it) => JSON.stringify(it)).join(' ')
  return [
    ...(says('binary') || says('args') ? [{ key: says('binary') ? 'binary' : 'args', what: `runs ${line}` }] : []),
    ...(says('env') ? [{ key: 'env', what: `sets ${Object.keys(provider.env).join(', ')} for its program` }] : []),
    ...(says('login') && provider.login ? [{ key: 'login', what: 'shows its program the log-in that you have with it' }] : []),
    ...(says('secrets_env') ? [{ key: 'secrets_env', what: `gives its program ${provider.secrets_env.join(', ')}` }] : []),
    ...(says('meter') && !provider.meter ? [{ key: 'meter', what: 'gives its program your key itself' }] : []),
    ...(says('hosts') ? [{ key: 'hosts', what: `lets its program reach ${provider.hosts.join(', ')}` }] : []),
  ]
}

/** Is it a file beside the project, or the id of a run, which may be one of another project? */
function isElsewhere(recording: string): boolean {
  const plain = normalize(recording)
  return isAbsolute(plain) || plain === '..' || plain.startsWith('../') || !/[/\\.]/.test(recording)
}

function variablesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(variablesIn)
  return typeof value === 'string' ? [...value.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)/g)].map((it) => it[1] ?? '') : []
}

/** Does an address lead to this machine itself? A name that merely begins like one does not. */
export function isLoopback(url: string): boolean {
  const host = new URL(url).hostname
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
