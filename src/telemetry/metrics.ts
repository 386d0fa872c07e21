import type { Attributes } from '@opentelemetry/api'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { oneLine } from '../core/hostile-text.ts'
import { canonicalJson } from '../core/json.ts'
import type { Redact } from '../core/redact.ts'

/** Words that tell numbers of one name apart. Few of each: never an id, a title or a path. */
export type Labels = Readonly<Record<string, string>>
export type Reading = readonly [value: number, labels?: Labels]

/** Numbers about this process for who scrapes them. Names are as Prometheus has them, with the unit at their end. */
export interface Metrics {
  /** What only grows; the name ends with `_total`. */
  counter(name: string, help: string): (labels: Labels, by?: number) => void
  /** How values are spread; `bounds` are the upper ends of its buckets, in the unit of the name. */
  histogram(name: string, help: string, bounds: readonly number[]): (labels: Labels, value: number) => void
  /** What is so now; read at each scrape. Must not wait, see `beforeScrape`. A series that is not read any more is 0. */
  gauge(name: string, help: string, read: () => Iterable<Reading>): void
  /** The same for what only grows and is counted elsewhere. */
  observedCounter(name: string, help: string, read: () => Iterable<Reading>): void
  /** Gathers what gauges tell. Where it throws, the scrape goes on without. */
  beforeScrape(gather: () => Promise<void> | void): void
  /** All of it in the text form of Prometheus. Those who ask at the same time get the same answer. */
  text(): Promise<string>
  close(): Promise<void>
}

/** Content type of `Metrics.text`. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface MetricsOptions {
  version: string
  /** Takes secrets out of labels. */
  redact: Redact
}

// Names come from configurations. Who has more providers and roles than this sees the rest as one series with `otel_metric_overflow`.
const MOST_SERIES = 500
const LONGEST_LABEL = 64

export function createMetrics({ version, redact }: MetricsOptions): Metrics {
  const reader = new PrometheusExporter({ preventServerStart: true })
  const views = [{ instrumentName: '*', aggregationCardinalityLimit: MOST_SERIES }]
  const provider = new MeterProvider({ readers: [reader], views })
  const meter = provider.getMeter('reeve', version)
  // Without the names of scopes and resources: they say nothing here.
  const serializer = new PrometheusSerializer('', false, undefined, true, true)
  const gatherers: (() => Promise<void> | void)[] = []
  let scraping: Promise<string> | null = null

  const clean = (labels: Labels): Attributes =>
    Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, oneLine(redact(value)).slice(0, LONGEST_LABEL)]))

  function watch(instrument: ReturnType<typeof meter.createObservableGauge>, read: () => Iterable<Reading>, rest: 'zero' | 'stays'): void {
    const told = new Map<string, Attributes>()
    instrument.addCallback((result) => {
      const now = new Map([...read()].map(([value, labels]) => [canonicalJson(labels ?? {}), { value, labels: clean(labels ?? {}) }]))
      for (const [key, { value, labels }] of now) {
        result.observe(value, labels)
        if (told.size < MOST_SERIES) told.set(key, labels)
      }
      // What was told once and not again would stand there with its last value for ever.
      if (rest === 'zero') for (const [key, labels] of told) if (!now.has(key)) result.observe(0, labels)
    })
  }

  async function scrape(): Promise<string> {
    await Promise.all(
      gatherers.map((it) =>
        Promise.resolve()
          .then(it)
          .catch(() => undefined),
      ),
    )
    const { resourceMetrics } = await reader.collect()
    return serializer.serialize(resourceMetrics)
  }

  return {
    counter(name, help) {
      const counter = meter.createCounter(name, { description: help })
      return (labels, by = 1) => counter.add(by, clean(labels))
    },
    histogram(name, help, bounds) {
      const advice = { explicitBucketBoundaries: [...bounds] }
      const histogram = meter.createHistogram(name, { description: help, advice })
      return (labels, value) => histogram.record(value, clean(labels))
    },
    gauge(name, help, read) {
      watch(meter.createObservableGauge(name, { description: help }), read, 'zero')
    },
    observedCounter(name, help, read) {
      watch(meter.createObservableCounter(name, { description: help }), read, 'stays')
    },
    beforeScrape(gather) {
      gatherers.push(gather)
    },
    text() {
      scraping ??= scrape().finally(() => {
        scraping = null
      })
      return scraping
    },
    close: () => provider.shutdown(),
  }
}
