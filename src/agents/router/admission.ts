import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import type { ProviderSettings } from '../../core/settings.ts'
import type { Admission, Pass, Refusal } from '../../models/admission.ts'
import type { CallOrigin, ProviderErrorClass } from '../../models/port.ts'
import { isUnbegun } from './breaker.ts'
import type { Line } from './line.ts'
import type { Held, Rules, Shared } from './port.ts'

// A run that waits longer is parked, and its worker does something else.
const LONGEST_WAIT_MS = 30_000
// Long enough for a stalled loop. A dead process's requests are ended when its runs are put back.
const TTL_MS = 30_000
// Somebody else's end is seen by looking: often enough to lose little, seldom enough to be cheap.
const LOOK_MS = { shortest: 20, concurrent: 150, longest: 1000 }
// A full account says nothing about when it has a place again.
const BACK_IN_MS = 5000
const UNSAID_CLOSING_MS = 5000
// The server counts when a request arrives, we when it leaves: what is let go late in one minute must not arrive in the next.
const MARGIN = 1.04

/** How each request went, for whoever watches the provider's health. Must not throw. */
export interface Watcher {
  entered(origin: CallOrigin): void
  refused(origin: CallOrigin, retryAt: number): void
  left(origin: CallOrigin, outcome: { class: ProviderErrorClass | null; problem: string; retryAt: number | null }): Promise<void>
}

export interface AdmissionOptions {
  shared: () => Promise<Shared>
  /** Key of the account, and its name for people. */
  account: { key: string; name: string }
  settings: Pick<ProviderSettings, 'max_concurrent' | 'requests_per_minute' | 'tokens_per_minute' | 'burst' | 'max_tokens'>
  clock: Clock
  /** Of this process, for this account. */
  line: Line
  watcher: Watcher
  /** Length of the minute; tests have a shorter one. */
  minuteMs?: number
  random?: () => number
}

/** The limits of an account over all runs and processes that share the store. A 429 closes it for everybody until it may be asked again. */
export function createAdmission(options: AdmissionOptions): Admission {
  const { settings, watcher, clock, shared, account } = options
  const rules = rulesOf(settings, options.minuteMs ?? 60_000)
  const limited = rules.concurrent !== null || rules.windows.length > 0
  return {
    async enter({ origin, inputTokens }, signal) {
      const holder = `${origin.run}/${origin.step}/${randomBytes(6).toString('hex')}`
      // What the answer takes is known only when it is over.
      const tokens = inputTokens + (settings.tokens_per_minute === undefined ? 0 : settings.max_tokens)
      const held = await whenFree(options, rules, { holder, tokens }, signal)
      if (held !== null) {
        const refusal = refusalOf(held, options)
        watcher.refused(origin, refusal.retryAt)
        return refusal
      }
      watcher.entered(origin)
      return passOf(origin, limited ? holder : null)
    },
  }

  function passOf(origin: CallOrigin, holder: string | null): Pass {
    const over = new AbortController()
    if (holder !== null) void keepAlive(options, holder, over.signal)
    return {
      admitted: true,
      async leave({ class: kind, tokens, retryAt, problem }) {
        over.abort()
        const used = tokens === null ? null : tokens.input + tokens.output
        const counted = used ?? (isUnbegun(kind) ? 0 : null)
        // An answer that has come must not be lost because it could not be counted; what was reserved stays so, and expires.
        const store = await shared().catch(() => null)
        if (holder !== null) await store?.endAdmission(account.key, holder, counted).catch(() => undefined)
        if (kind === 'rate_limited' || (kind === 'quota' && retryAt !== undefined)) {
          const ms = retryAt === undefined ? UNSAID_CLOSING_MS : Math.max(0, retryAt - clock.now())
          await store?.closeAccount(account.key, ms).catch(() => undefined)
        }
        await watcher.left(origin, { class: kind, problem: problem ?? '', retryAt: retryAt ?? null })
      },
    }
  }
}

/** `burst` requests may go at once: so many in the part of a minute that so many take at the full rate. */
export function rulesOf(settings: AdmissionOptions['settings'], minuteMs: number): Rules {
  const { max_concurrent, requests_per_minute = null, tokens_per_minute = null, burst } = settings
  const ms = Math.ceil(minuteMs * MARGIN)
  const windows: Rules['windows'][number][] = []
  if (requests_per_minute !== null || tokens_per_minute !== null) {
    windows.push({ ms, requests: requests_per_minute, tokens: tokens_per_minute })
  }
  if (burst !== undefined && requests_per_minute !== null && burst < requests_per_minute) {
    windows.push({ ms: Math.ceil((ms * burst) / requests_per_minute), requests: burst, tokens: null })
  }
  return { concurrent: max_concurrent ?? null, windows }
}

/** Null as soon as the request may go; else what holds it back for longer than it can wait here. */
async function whenFree(
  options: AdmissionOptions,
  rules: Rules,
  request: { holder: string; tokens: number },
  signal: AbortSignal,
): Promise<Held | null> {
  const { clock, account, line, random = Math.random } = options
  signal.throwIfAborted()
  const until = clock.now() + LONGEST_WAIT_MS
  const store = await options.shared()
  const ask = async () => {
    const answer = await store.admit(account.key, { ...request, ttlMs: TTL_MS }, rules)
    return answer === true ? null : answer
  }
  if (rules.concurrent === null && rules.windows.length === 0) {
    const held = await ask()
    // Closed for a moment, by a 429 of somebody else.
    if (held === null || clock.now() + held.retryInMs > until) return held
    await clock.sleep(held.retryInMs, signal)
    return ask()
  }
  const next = await line.stand(signal)
  try {
    for (;;) {
      const held = await ask()
      if (held === null) return null
      const left = until - clock.now()
      if (left <= 0 || (held.why !== 'concurrent' && held.retryInMs > left)) return held
      await clock.sleep(lookAgainIn(held, random()), signal)
    }
  } finally {
    next()
  }
}

/** Uneven, so that processes that wait for the same place do not always come in the same order. */
function lookAgainIn({ why, retryInMs }: Held, random: number): number {
  const longest = why === 'concurrent' ? LOOK_MS.concurrent : LOOK_MS.longest
  return Math.max(LOOK_MS.shortest, Math.min(retryInMs, longest)) * (0.75 + random / 2)
}

function refusalOf({ why, retryInMs }: Held, { account, settings, clock }: AdmissionOptions): Refusal {
  const limits = {
    closed: 'has asked for a pause',
    concurrent: `is at its limit of ${settings.max_concurrent} requests at the same time`,
    requests: `is at its limit of ${settings.requests_per_minute} requests a minute`,
    tokens: `is at its limit of ${settings.tokens_per_minute} tokens a minute`,
  }
  const ms = why === 'concurrent' ? Math.min(retryInMs, BACK_IN_MS) : retryInMs
  return { admitted: false, retryAt: clock.now() + Math.max(1000, ms), problem: `The account "${account.name}" ${limits[why]}.` }
}

/** Ends with the signal. A store that is busy for a moment is asked again in time. */
async function keepAlive({ clock, shared, account }: AdmissionOptions, holder: string, over: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(TTL_MS / 3, over)
    } catch {
      return
    }
    await shared()
      .then((store) => store.renewAdmission(account.key, holder, TTL_MS))
      .catch(() => undefined)
  }
}
