import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { startMeter } from '../../src/models/meter/meter.ts'
import type { Meter, MeteredCall, MeterOptions, MeterStatus } from '../../src/models/meter/port.ts'
import type { ScriptStep } from '../../src/models/scripted-server/script.ts'
import { type ScriptedServer, type ScriptedServerOptions, startScriptedServer } from '../../src/models/scripted-server/server.ts'

export const REAL_KEY = 'sk-real-0123456789abcdef0123456789abcdef'

export interface Metered extends Meter {
  calls: MeteredCall[]
  statuses: MeterStatus[]
  limits: { limit: string; problem: string }[]
  traffic: string[]
}

/** A metering proxy on a port, with everything that it tells. */
export async function metered(upstream: string, over: Partial<MeterOptions> = {}): Promise<Metered> {
  const calls: MeteredCall[] = []
  const statuses: MeterStatus[] = []
  const limits: Metered['limits'] = []
  const traffic: string[] = []
  const meter = await startMeter({
    upstream,
    key: REAL_KEY,
    folder: null,
    listenTcp: true,
    model: null,
    origin: { run: 'r1', task: 't1', step: 's1', role: 'implementer', attempt: 1 },
    limits: { usd: null, tokens: null, requests: null },
    cost: (tokens) => (tokens.input * 1 + tokens.output * 2) / 1_000_000,
    idleMs: 5000,
    requestMs: 20_000,
    told: {
      onUsage: (it) => calls.push(it),
      onStatus: (it) => statuses.push(it),
      onLimit: (it) => limits.push(it),
      onTraffic: (it) => traffic.push(it),
    },
    ...over,
  })
  onTestFinished(() => meter.close())
  return { ...meter, calls, statuses, limits, traffic }
}

const STEPS: ScriptStep[] = [{ read: 'sum.mjs' }, { write: { path: 'sum.mjs', content: 'x' } }, { run: 'node test.mjs' }, { say: 'DONE' }]

/** The bundled server with a session of four turns, which takes the real key. */
export async function scripted(options: Partial<ScriptedServerOptions> = {}): Promise<ScriptedServer> {
  const server = await startScriptedServer({ steps: STEPS, key: REAL_KEY, ...options })
  onTestFinished(() => server.close())
  return server
}

/** A provider that answers as it is told. */
export async function provider(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Tokens in and out of all calls. */
export const sum = (calls: { usage: { inputTokens: number; outputTokens: number } }[]) => [
  calls.reduce((all, it) => all + it.usage.inputTokens, 0),
  calls.reduce((all, it) => all + it.usage.outputTokens, 0),
]
