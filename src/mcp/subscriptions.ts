import type { McpServer, ServerEventBus, Transport } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Client } from '../client/client.ts'

// A host reads the resource again each time: an agent's chatter must not make it do so ten times a second.
const APART_MS = 1000
const ADDRESS = /^reeve:\/\/runs\/([^/]+)(?:\/(?:log|diff|report))?$/
// Each follows a run of its own.
const MOST = 64

/** Tells when what is behind an address has changed, until the signal ends it or the run has ended. */
export async function followAddress(client: Client, uri: string, signal: AbortSignal, changed: () => void): Promise<void> {
  const run = ADDRESS.exec(uri)?.[1]
  if (run === undefined) return
  let told = 0
  let late: NodeJS.Timeout | undefined
  const tell = () => {
    told = Date.now()
    late = undefined
    changed()
  }
  try {
    let after = 0
    for await (const { seq } of client.stream('runs.events', { run }, signal)) after = seq
    for await (const _ of client.stream('runs.events', { run, after, follow: true }, signal)) {
      if (Date.now() - told >= APART_MS) tell()
      else late ??= setTimeout(tell, APART_MS)
    }
    if (late !== undefined) tell()
  } catch {
    // Whoever subscribes to what is not there, or has left, hears nothing.
  } finally {
    clearTimeout(late)
  }
}

/** Addresses that are followed at the same time, each once. */
export interface Followed {
  add(uri: string): void
  remove(uri: string): void
  end(): void
}

export function followAll(client: Client, changed: (uri: string) => void): Followed {
  const all = new Map<string, AbortController>()
  return {
    add(uri) {
      if (all.has(uri) || all.size >= MOST) return
      const leave = new AbortController()
      all.set(uri, leave)
      void followAddress(client, uri, leave.signal, () => changed(uri)).finally(() => {
        // Its run has ended: another one may be followed in its place.
        if (all.get(uri) === leave) all.delete(uri)
      })
    },
    remove(uri) {
      all.get(uri)?.abort()
      all.delete(uri)
    },
    end() {
      for (const leave of all.values()) leave.abort()
      all.clear()
    },
  }
}

/** What a host of 2026-07-28 asks for when it wants to hear of changes. */
const listen = z.object({
  method: z.literal('subscriptions/listen'),
  params: z.object({ notifications: z.object({ resourceSubscriptions: z.array(z.string()) }) }),
})

export function addressesIn(message: unknown): string[] {
  return listen.safeParse(message).data?.params.notifications.resourceSubscriptions ?? []
}

/** The changes that one request over HTTP is told of, as long as its stream is open. */
export function busOf(client: Client, uris: readonly string[]): ServerEventBus {
  return {
    publish: () => undefined,
    subscribe(listener) {
      const followed = followAll(client, (uri) => listener({ kind: 'resource_updated', uri }))
      for (const uri of uris) followed.add(uri)
      return () => followed.end()
    },
  }
}

/** Subscriptions of hosts with a connection, before 2026-07-28. */
export function serveSubscriptions({ server }: McpServer, followed: Followed): void {
  server.setRequestHandler('resources/subscribe', ({ params }) => {
    followed.add(params.uri)
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    followed.remove(params.uri)
    return {}
  })
}

/** Calls back for each message of the host before it is served. */
export function watched(transport: Transport, seen: (message: unknown) => void): Transport {
  let onmessage: Transport['onmessage']
  Object.defineProperty(transport, 'onmessage', {
    get: () => onmessage,
    set: (serve: Transport['onmessage']) => {
      onmessage = serve && ((message, extra) => (seen(message), serve(message, extra)))
    },
  })
  return transport
}
