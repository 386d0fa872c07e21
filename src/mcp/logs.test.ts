import { expect, it } from 'vitest'
import type { Client } from '../client/client.ts'
import { logsTool } from './logs.ts'
import type { Call } from './tool.ts'

it('reads of a long run only what it gives, and all of it by its cursor', async () => {
  const last = 2500
  let read = 0
  const client = {
    call: async () => ({ id: 'r1', status: 'succeeded' }),
    async *stream(_: string, { after }: { after: number }) {
      for (let seq = after + 1; seq <= last; seq++) {
        read++
        yield { run: 'r1', seq, ts: 0, type: 'agent.said', data: {} }
      }
    },
  } as unknown as Client
  const call = { client, ctx: { mcpReq: { signal: new AbortController().signal } } } as unknown as Call
  const seen: number[] = []
  let cursor: string | undefined
  for (let done = false; !done; ) {
    const answer = await logsTool.run(call, { runId: 'r1', maxBytes: 65_536, ...(cursor === undefined ? {} : { cursor }) })
    const told = (answer as { structuredContent: { text: string; cursor: string; done: boolean } }).structuredContent
    for (const line of told.text.trimEnd().split('\n')) seen.push(Number(line.split(' ')[0]))
    cursor = told.cursor
    done = told.done
  }
  expect(seen).toEqual(Array.from({ length: last }, (_, at) => at + 1))
  expect(read).toBe(last)
})
