import type { MeterTold } from '../../models/meter/port.ts'
import type { AgentWay } from '../../workspace/port.ts'
import type { AgentRequest } from '../port.ts'
import type { Access } from './access.ts'
import type { CliDeps } from './deps.ts'
import type { Endpoint } from './port.ts'

/** A proxy that sees the traffic of one program. */
export interface Metering {
  endpoint: Endpoint
  services: NonNullable<AgentWay['services']>
  close(): Promise<void>
}

/** Does a program reach its models by the proxy? Not by the user's own log-in, nor where the user has said so, nor when it takes no address. */
export function isMetered({ startMeter, settings, adapter }: Pick<CliDeps, 'startMeter' | 'settings' | 'adapter'>): boolean {
  return startMeter !== undefined && settings.meter && !settings.login && adapter.api !== null
}

/**
 * Starts the proxy for one step of a program, null where there is none. `confined`: the program has an empty network, and reaches it by its
 * socket; elsewhere by a port of this machine.
 */
export async function startMetering(
  deps: CliDeps,
  { baseUrl, key }: Extract<Access, { kind: 'endpoint' }>,
  { origin, role, limits }: AgentRequest,
  told: MeterTold,
  confined: boolean,
): Promise<Metering | null> {
  const { startMeter, settings, admission, fetch, priced } = deps
  if (startMeter === undefined || !isMetered(deps)) return null
  const meter = await startMeter({
    upstream: baseUrl,
    key,
    headers: settings.headers,
    ...(fetch === undefined ? {} : { fetch }),
    // The path of a socket must be short.
    folder: confined ? 'temporary' : null,
    listenTcp: !confined,
    model: settings.model ?? null,
    ...(admission === undefined ? {} : { admission }),
    origin: { ...origin, role: role.name },
    // Turns are counted by the runner: some requests are none, such as one for a title.
    limits: { tokens: limits.tokens, usd: limits.usd, requests: null },
    cost: (tokens, model) => priced?.(model, tokens) ?? null,
    idleMs: (settings.idle_timeout_seconds ?? IDLE_SECONDS) * 1000,
    ...(settings.first_byte_timeout_seconds === undefined ? {} : { firstByteMs: settings.first_byte_timeout_seconds * 1000 }),
    requestMs: settings.request_timeout_seconds * 1000,
    told,
  })
  return {
    endpoint: { baseUrl: meter.url, key: meter.token },
    services: meter.socketPath === null ? [] : [{ port: meter.port, socketPath: meter.socketPath }],
    close: () => meter.close(),
  }
}

/** Silence that ends a program whose traffic is seen. */
export const IDLE_SECONDS = 45
