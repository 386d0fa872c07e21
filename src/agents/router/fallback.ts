import { MODEL_KINDS, type Settings } from '../../core/settings.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import { isLimited } from './breaker.ts'
import { type Closed, providerNamed, providerNames, type Route } from './choose.ts'

/** A try of a step that failed. `until`: epoch ms, of one that is limited. */
export interface Tried {
  provider: string
  model: string
  class: ProviderErrorClass
  problem: string
  until: number | null
}

/** Gone by itself, often. The calls of our own agents have been repeated already. */
const PASSING: readonly ProviderErrorClass[] = ['overloaded', 'server', 'network']
/** May have been bad luck: worth one more try, from clean files. */
const UNLUCKY: readonly ProviderErrorClass[] = ['bad_output', 'crashed']
/** Would take as long again: only where nobody else is left. */
const SLOW: readonly ProviderErrorClass[] = ['timeout']
/** Another model may answer; the same one behind another door will not. */
const OF_THE_MODEL: readonly ProviderErrorClass[] = ['refused', 'context_too_long']

/** May the same provider be asked once more after its first failure of this class? */
export function worthAgain(kind: ProviderErrorClass, provider: string, settings: Settings): boolean {
  const configured = providerNamed(settings, provider)
  const repeatsItself = MODEL_KINDS.some((it) => it === configured?.kind)
  return UNLUCKY.includes(kind) || (PASSING.includes(kind) && !repeatsItself)
}

/** Is this a failure that other steps of the run should not go through as well? */
export function isLasting(kind: ProviderErrorClass): boolean {
  return !isLimited(kind) && !OF_THE_MODEL.includes(kind) && kind !== 'aborted'
}

/** What failed tries of a step mean for the next one; `late`: asked once more when nobody else is left. Pure. */
export function afterTries(
  tried: readonly Tried[],
  settings: Settings,
): { again: Route | null; out: Map<string, string>; late: Map<string, string>; closed: Map<string, Closed> } {
  const out = new Map<string, string>()
  const late = new Map<string, string>()
  const closed = new Map<string, Closed>()
  const last = tried.at(-1)
  const again = last !== undefined && isFirst(last, tried, settings) ? last : null
  for (const it of tried) {
    const why = said(it)
    if (isLimited(it.class)) closed.set(it.provider, { until: it.until ?? 0, why, misconfigured: false })
    else if (SLOW.includes(it.class) && isOnly(it, tried)) late.set(it.provider, why)
    else if (it !== again) out.set(it.provider, why)
    if (OF_THE_MODEL.includes(it.class))
      for (const name of sameModel(it, settings)) out.set(name, `has the same model as ${it.provider}, which ${why}`)
  }
  const next = again === null ? null : { provider: again.provider, reason: `once more: it ${said(again)}` }
  return { again: next, out, late, closed }
}

function isFirst(last: Tried, tried: readonly Tried[], settings: Settings): boolean {
  return isOnly(last, tried) && worthAgain(last.class, last.provider, settings)
}

/** Its provider has failed once, limits aside. */
function isOnly(it: Tried, tried: readonly Tried[]): boolean {
  return tried.filter((other) => other.provider === it.provider && !isLimited(other.class)).length === 1
}

function sameModel(tried: Tried, settings: Settings): string[] {
  const model = modelOf(tried.provider, settings) ?? tried.model
  return providerNames(settings).filter((it) => it !== tried.provider && modelOf(it, settings) === model)
}

/** Providers without a model take the default of their program. */
function modelOf(provider: string, settings: Settings): string | undefined {
  const configured = providerNamed(settings, provider)
  if (!configured) return undefined
  const { model, kind, file, module, binary } = configured
  return model ?? [kind, file, module, binary].filter((it) => it !== undefined).join(' ')
}

function said({ class: kind, problem }: Pick<Tried, 'class' | 'problem'>): string {
  return `${isLimited(kind) ? 'is limited' : 'failed'} (${kind}: ${problem})`
}
