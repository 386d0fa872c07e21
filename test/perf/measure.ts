/** One figure of the performance page: what something costs, and against what. */
export interface Figure {
  name: string
  /** Median of ours, with its unit. */
  ours: string
  /** What it is compared with, with its median. */
  against: string
  /** ours / against. A ratio of two numbers measured in turns says more than either: the machine cancels out. */
  ratio: number
}

export async function millisecondsOf(fn: () => unknown): Promise<number> {
  const began = performance.now()
  await fn()
  return performance.now() - began
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Measures two things in turns, so that a machine that slows down slows both. The first round warms up and is thrown away. */
export async function inTurns(
  rounds: number,
  ours: () => Promise<number>,
  bare: () => Promise<number>,
): Promise<{ ours: number; bare: number }> {
  const all: { ours: number; bare: number }[] = []
  for (let round = 0; round <= rounds; round++) all.push({ ours: await ours(), bare: await bare() })
  const kept = all.slice(1)
  return { ours: median(kept.map((it) => it.ours)), bare: median(kept.map((it) => it.bare)) }
}

export function figure(name: string, measured: { ours: number; bare: number }, against: string, unit = 'ms'): Figure {
  return {
    name,
    ours: `${shown(measured.ours)} ${unit}`,
    against: `${against}: ${shown(measured.bare)} ${unit}`,
    ratio: measured.ours / measured.bare,
  }
}

/** Three digits that matter. */
export function shown(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3)
}
