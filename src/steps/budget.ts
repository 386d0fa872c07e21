import { addUsage, type Cost, NO_USAGE, type Usage } from '../core/run.ts'
import type { Job } from './job.ts'

/** What the run may still use, after what the step at work has used in `tries` that ended without a result; `null` is without limit. */
export function remaining(
  job: Job,
  tries: { usage: Usage; cost: Cost } = { usage: NO_USAGE, cost: 0 },
): { tokens: number | null; usd: number | null } {
  const { runs } = job.settings
  const tokens = least(runs.max_tokens, job.task.budget?.tokens)
  const usd = least(runs.max_usd, job.task.budget?.usd)
  const usage = addUsage(job.spent.usage, tries.usage)
  const priced = job.spent.priced + (tries.cost ?? 0)
  return {
    tokens: tokens === null ? null : Math.max(0, tokens - usage.inputTokens - usage.outputTokens),
    // A model without a price cannot be held to money; its tokens are.
    usd: usd === null ? null : Math.max(0, usd - priced),
  }
}

function least(a: number | undefined, b: number | undefined): number | null {
  if (a === undefined) return b ?? null
  return b === undefined ? a : Math.min(a, b)
}
