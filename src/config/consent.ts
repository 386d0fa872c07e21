import { createHash } from 'node:crypto'
import type { Settings } from '../core/settings.ts'
import type { Assignment } from './layers.ts'
import { providersOf } from './secrets.ts'

/** A provider whose server is named by a file of the project, with what of the user's would go there. */
export interface Consent {
  provider: string
  /** Where the server is named: `reeve.toml:5`. */
  where: string
  to: string
  /** `the key in ANTHROPIC_API_KEY`, `the value of TEAM`. Never values. */
  sends: string[]
  /** Another one when the project says anything else about this provider. */
  hash: string
}

interface Said {
  /** Dotted keys whose value in force comes from a file of the project. */
  fromProject: ReadonlySet<string>
  where: ReadonlyMap<string, string>
}

/** What needs the user's consent before it is sent. A server on this machine needs none, nor one that gets nothing but the prompts. */
export function consentsOf(settings: Settings, said: Said, theirs: readonly Assignment[]): Consent[] {
  return providersOf(settings).flatMap(([name, provider]) => {
    const key = `providers.${name}.base_url`
    const to = provider.base_url
    if (to === undefined || !said.fromProject.has(key) || isLoopback(to)) return []
    const about = theirs.filter((it) => it.path[0] === 'providers' && it.path[1] === name)
    const headers = Object.keys(provider.headers).filter((it) => !said.fromProject.has(`providers.${name}.headers.${it}`))
    const sends = [
      ...(provider.api_key_env === undefined ? [] : [`the key in ${provider.api_key_env}`]),
      ...[...new Set(about.flatMap((it) => variablesIn(it.value)))].map((it) => `the value of ${it}`),
      ...headers.map((it) => `your header "${it}"`),
    ]
    if (sends.length === 0) return []
    const whole = [name, provider.kind, provider.api_key_env ?? null, headers, about.map((it) => [it.path, it.value])]
    const hash = createHash('sha256').update(JSON.stringify(whole)).digest('hex')
    return [{ provider: name, where: said.where.get(key) ?? 'reeve.toml', to, sends, hash }]
  })
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
