import type { Cost, Usage } from '../../core/run.ts'
import type { CallOrigin } from '../../models/port.ts'
import type { AgentWay } from '../../workspace/port.ts'
import type { Endpoint, WireDialect } from './port.ts'
import type { Stop, Trouble } from './watch.ts'

/** What the runner of a CLI agent needs of a proxy that sees the traffic of one program. It is made for each run of a program anew. */
export type StartMeter = (wish: MeterWish) => Promise<Meter>

export interface MeterWish {
  dialect: WireDialect
  /** The provider's own address, and its key, which the program never sees. */
  baseUrl: string
  key: string
  model: string | null
  origin: Omit<CallOrigin, 'turn'>
  limits: { tokens: number | null; usd: number | null; requests: number }
  /** `socket`: the program has an empty network and reaches it as a service; `loopback`: by a port of this machine. */
  reach: 'socket' | 'loopback'
  told: MeterTold
  /** The step's: when it aborts, nothing more goes out. */
  signal: AbortSignal
}

/** Must not throw. */
export interface MeterTold {
  /** A request begins, goes on (bytes came, or it waits for its turn), has ended. */
  traffic(now: 'began' | 'alive' | 'ended'): void
  answered(): void
  failed(trouble: Trouble): void
  used(call: { usage: Usage; cost: Cost; model: string }): void
  /** The budget is spent, or the account is closed for longer than a call may wait. */
  stop(stop: Stop): void
}

export interface Meter {
  endpoint: Endpoint
  /** With `socket`. */
  services: NonNullable<AgentWay['services']>
  close(): Promise<void>
}
