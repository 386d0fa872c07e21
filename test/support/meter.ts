import { onTestFinished } from 'vitest'
import { startMeter } from '../../src/models/meter/meter.ts'
import type { Meter, MeteredCall, MeterOptions, MeterStatus } from '../../src/models/meter/port.ts'

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
