import type { Readable, Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { AnyMessage, Stream } from '@agentclientprotocol/sdk'
import { objectOf } from '../cli/line.ts'
import { splitLines } from '../cli/lines.ts'

/**
 * Messages over a program's input and output, one per line. What is no message is passed over: programs print greetings and warnings, and the
 * protocol's own reader would complain of them on our output.
 */
export function messagesOver({ input, output }: { input: Writable; output: Readable }, heard: () => void): Stream {
  const lines = splitLines()
  const decoder = new StringDecoder('utf8')
  const readable = new ReadableStream<AnyMessage>({
    async start(controller) {
      const pass = (all: readonly string[]) => {
        for (const line of all) {
          const message = objectOf(line)
          if (message === null || !('method' in message || 'id' in message)) continue
          heard()
          controller.enqueue(message as unknown as AnyMessage)
        }
      }
      try {
        for await (const chunk of output) pass(lines.add(decoder.write(chunk as Buffer)))
        pass(lines.end())
      } finally {
        controller.close()
      }
    },
  })
  const writable = new WritableStream<AnyMessage>({
    async write(message) {
      if (!input.writable) return
      if (!input.write(`${JSON.stringify(message)}\n`)) {
        const { promise, resolve } = Promise.withResolvers<void>()
        input.once('drain', resolve).once('close', resolve)
        await promise
      }
    },
  })
  return { readable, writable }
}
