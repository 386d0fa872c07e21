import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  TracerProvider,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace'
import type { Logger } from './logger.ts'

/** One stretch of work, once its end is known. Ids are hexadecimal as W3C has them; times epoch ms. */
export interface SpanRecord {
  name: string
  trace: string
  id: string
  parent: string | null
  start: number
  end: number
  /** Words and numbers; never a prompt, an answer, a title. */
  attributes: Readonly<Record<string, string | number>>
  /** What went wrong, in a word. */
  failed: string | null
}

/** Spans on their way to a collector, in batches. What it does not take is dropped. */
export interface Traces {
  record(span: SpanRecord): void
  /** Sends the rest. */
  close(): Promise<void>
}

export interface TracesOptions {
  /** Address of the collector, such as `http://127.0.0.1:4318`. */
  endpoint: string
  version: string
  log: Logger
}

// A collector that does not answer must not keep a daemon from its end.
const SEND_MS = 5000

export function createTraces({ endpoint, version, log }: TracesOptions): Traces {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`
  const exporter = telling(new OTLPTraceExporter({ url, timeoutMillis: SEND_MS }), log)
  let next = { trace: '', id: '' }
  const attributes = { 'service.name': 'reeve', 'service.version': version }
  const resource: NonNullable<TracerProviderOptions['resource']> = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  }
  const provider = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: SEND_MS })],
    // Spans are told when they are over, by ids that anybody can work out again.
    idGenerator: { generateTraceId: () => next.trace, generateSpanId: () => next.id },
  })
  const tracer = provider.getTracer('reeve', version)
  return {
    record({ name, trace: traceId, id, parent, start, end, attributes, failed }) {
      next = { trace: traceId, id }
      const above = { traceId, spanId: parent ?? '', traceFlags: TraceFlags.SAMPLED, isRemote: true }
      const context = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, above)
      const span = tracer.startSpan(name, { startTime: new Date(start), attributes: { ...attributes }, kind: SpanKind.INTERNAL }, context)
      if (failed !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: failed })
      span.end(new Date(Math.max(start, end)))
    },
    close: () => provider.shutdown().catch(() => undefined),
  }
}

/** The exporter with its failures in the log, one of a row. */
function telling(exporter: SpanExporter, log: Logger): SpanExporter {
  let failing = false
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined
        if (failed && !failing) log.warn('traces cannot be sent', { problem: result.error })
        failing = failed
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  }
}
