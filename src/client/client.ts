import type { z } from 'zod'
import type { Caller } from '../operations/context.ts'
import type { Operations, Streams } from '../operations/table.ts'

export type OperationName = keyof Operations
export type StreamName = keyof Streams
/** What a caller may give; unknown fields are refused, defaults may be left out. */
export type InputOf<N extends OperationName | StreamName> = N extends OperationName
  ? z.input<Operations[N]['input']>
  : N extends StreamName
    ? z.input<Streams[N]['input']>
    : never
export type OutputOf<N extends OperationName> = z.output<Operations[N]['output']>
export type EventOf<N extends StreamName> = z.output<Streams[N]['events']>

/** The operations as calls. Errors are `ReeveError`s. */
export interface Client {
  /** Do runs go on when this client leaves? */
  readonly resident: boolean
  call<N extends OperationName>(name: N, input: InputOf<N>, signal?: AbortSignal): Promise<OutputOf<N>>
  /** Events until the operation is done; aborting the signal leaves it. */
  stream<N extends StreamName>(name: N, input: InputOf<N>, signal?: AbortSignal): AsyncIterable<EventOf<N>>
  /** Lets go of what was opened for the calls. */
  close(): Promise<void>
}

/** Gives each caller the operations as they may have them: what the faces stand on. */
export interface Gateway {
  as(caller: Caller): Client
}

/** How a client reaches the operations; `app.ts` gives the one of this process. */
export interface Transport {
  invoke(name: OperationName, input: unknown, signal: AbortSignal): Promise<unknown>
  open(name: StreamName, input: unknown, signal: AbortSignal): AsyncIterable<unknown>
  close(): Promise<void>
}

/** A client over a transport that has checked inputs and outputs. */
export function createClient(transport: Transport, { resident = true } = {}): Client {
  const never = new AbortController().signal
  return {
    resident,
    call: <N extends OperationName>(name: N, input: InputOf<N>, signal?: AbortSignal) =>
      transport.invoke(name, input, signal ?? never) as Promise<OutputOf<N>>,
    stream: <N extends StreamName>(name: N, input: InputOf<N>, signal?: AbortSignal) =>
      transport.open(name, input, signal ?? never) as AsyncIterable<EventOf<N>>,
    close: () => transport.close(),
  }
}
