import type { Client, Gateway, OperationName, StreamName } from '../client/client.ts'
import { ReeveError } from '../core/errors.ts'
import type { Effect } from '../operations/operation.ts'

/** The gateway of a daemon that may end: knows who is served, and takes nothing new when it is being stopped. */
export interface GuardedGateway extends Gateway {
  /** Calls that are being answered now, streams among them. */
  open(): number
  /** Calls since the last time this was asked. */
  taken(): number
  /** From now on what changes something is refused with `draining`; reading goes on. */
  drain(): void
  /** Ends all streams with `draining`. */
  leave(): void
}

export function guardGateway(gateway: Gateway, effectOf: (name: OperationName | StreamName) => Effect): GuardedGateway {
  const leaving = new AbortController()
  let draining = false
  let open = 0
  let taken = 0

  function admit(name: OperationName | StreamName): void {
    taken += 1
    // Who looks on until a run rests changes nothing, whatever the operation may do elsewhere.
    if (draining && effectOf(name) !== 'read' && name !== 'runs.work') throw new ReeveError('draining')
  }

  async function* guarded<T>(events: AsyncIterable<T>): AsyncGenerator<T> {
    open += 1
    try {
      yield* events
    } finally {
      open -= 1
    }
    if (leaving.signal.aborted) throw new ReeveError('draining')
  }

  return {
    as(caller) {
      const client = gateway.as(caller)
      const call: Client['call'] = async (name, input, signal) => {
        admit(name)
        open += 1
        try {
          return await client.call(name, input, signal)
        } finally {
          open -= 1
        }
      }
      const stream: Client['stream'] = (name, input, signal) => {
        admit(name)
        const over = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal])
        return guarded(client.stream(name, input, over))
      }
      return { ...client, call, stream }
    },
    open: () => open,
    taken() {
      const since = taken
      taken = 0
      return since
    },
    drain: () => {
      draining = true
    },
    leave: () => leaving.abort(),
  }
}
