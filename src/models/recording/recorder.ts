import { appendFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { type Redact, redactAll } from '../../core/redact.ts'
import type { GenerateRequest, ModelEvent, ModelProvider } from '../port.ts'
import { type AgentExchange, askedOf, type Exchange } from './cassette.ts'

/** Writes the exchanges of runs down, with secrets taken out. One for a process: lines of two exchanges must not mix. */
export interface Recorder {
  readonly clock: Clock
  /** Appends one to the recording of its run. Whoever awaits it knows that it is written. */
  write(exchange: Exchange): Promise<void>
}

/** File of a run's recording within the folder of all evidence. */
export function cassetteFile(evidenceDir: string, run: string): string {
  return join(evidenceDir, run, 'recording.ndjson')
}

export function createRecorder(options: { evidenceDir: string; redact: Redact; clock: Clock }): Recorder {
  const { evidenceDir, redact, clock } = options
  // One after the other.
  let last: Promise<void> = Promise.resolve()
  const begun = new Set<string>()
  const append = async (exchange: Exchange): Promise<void> => {
    const path = cassetteFile(evidenceDir, exchange.origin.run)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // An earlier process may have died in the middle of its last line.
    const before = begun.has(path) ? '' : '\n'
    begun.add(path)
    await appendFile(path, `${before}${JSON.stringify(withoutSecrets(exchange, redact))}\n`, { mode: 0o600 })
  }
  return {
    clock,
    write(exchange) {
      const next = last.then(() => append(exchange))
      last = next.catch(() => undefined)
      return next
    },
  }
}

function withoutSecrets(exchange: Exchange, redact: Redact): Exchange {
  if (exchange.kind === 'model') return redactAll(exchange, redact)
  const files = exchange.files.map((it) => ({ ...it, content: it.content === null ? null : redactedBytes(it.content, redact) }))
  return { ...redactAll<AgentExchange>({ ...exchange, files: [] }, redact), files }
}

/** In base64 a secret is not seen, or what stands for it breaks the rest. */
function redactedBytes(content: string, redact: Redact): string {
  const text = Buffer.from(content, 'base64').toString('latin1')
  const clean = redact(text)
  return clean === text ? content : Buffer.from(clean, 'latin1').toString('base64')
}

/** A provider whose every answer is written down before its end is handed on. */
export function recorded(provider: ModelProvider, recorder: Recorder): ModelProvider {
  return {
    ...provider,
    get capabilities() {
      return provider.capabilities // may be another one after `learn`
    },
    async *generate(request) {
      const events: ModelEvent[] = []
      for await (const event of provider.generate(request)) {
        keep(events, event)
        if (event.type === 'done' || event.type === 'error') await recorder.write(exchangeOf(provider, request, events, recorder))
        yield event
      }
    },
  }
}

function exchangeOf(provider: ModelProvider, request: GenerateRequest, events: readonly ModelEvent[], { clock }: Recorder): Exchange {
  const { messages, tools, schema, origin } = request
  const asked = { messages, tools, ...(schema === undefined ? {} : { schema }) }
  return {
    kind: 'model',
    at: clock.now(),
    provider: provider.name,
    model: provider.model,
    origin,
    request: asked,
    asked: askedOf(asked),
    events,
  }
}

/** Texts that follow each other are one: a secret could lie over their border. */
function keep(events: ModelEvent[], event: ModelEvent): void {
  const before = events.at(-1)
  if (event.type === 'text' && before?.type === 'text') events[events.length - 1] = { type: 'text', text: before.text + event.text }
  else events.push(event)
}
