import { sql } from 'kysely'
import type { Db } from './schema.ts'
import { type Context, write } from './tx.ts'

/** What may go to an account; the caller's own, so that a changed setting counts from the next request on. */
export interface AdmissionRules {
  /** Requests at the same time; null: any number. */
  concurrent: number | null
  /** What may go within any stretch of time of this length. */
  windows: readonly { ms: number; requests: number | null; tokens: number | null }[]
}

export interface AdmissionRequest {
  /** Unique; begins with the run's id and a slash, so that a dead run's requests can be ended. */
  holder: string
  /** What it will use at most, as far as one can tell. */
  tokens: number
  /** Longest time without a sign of life. */
  ttlMs: number
}

/** `why`: which rule says no. `retryInMs`: when it may be otherwise at the earliest; of a full account, at the latest. */
export type Admitted = true | { retryInMs: number; why: 'closed' | 'concurrent' | 'requests' | 'tokens' }

/** A request that is at work or was lately. `age`: ms since it was let go; `left`: ms until it ends or expires, negative since it has ended. */
export interface KnownRequest {
  age: number
  left: number
  tokens: number
}

// No window is longer.
const KEPT_MS = 600_000

/** Lets a request go to an account, if the rules allow it now: all in one, so that two askers never both get the last place. */
export async function admit(ctx: Context, key: string, request: AdmissionRequest, rules: AdmissionRules): Promise<Admitted> {
  // A full account is seen without writing: many may be asking several times a second.
  const seen = await look(ctx.db, ctx, key, request.tokens, rules)
  if (seen !== null) return seen
  // Nothing is counted where nothing is limited.
  if (rules.concurrent === null && rules.windows.length === 0) return true
  return write(ctx, async (tx) => {
    // The row lock: two requests of one account go one after the other.
    await tx.t
      .insertInto('accounts')
      .values({ key, ver: 1, closed_until: 0 })
      .onConflict((it) => it.column('key').doUpdateSet((row) => ({ ver: row('accounts.ver', '+', 1) })))
      .execute()
    await tx.t.deleteFrom('requests').where('ends_at', '<=', sql<number>`${tx.now()} - ${KEPT_MS}`).execute()
    const now = await look(tx.t, ctx, key, request.tokens, rules)
    if (now !== null) return now
    const { holder, tokens, ttlMs } = request
    await tx.t
      .insertInto('requests')
      .values({ key, holder, at: tx.now(), ends_at: sql<number>`${tx.now()} + ${ttlMs}`, tokens })
      .execute()
    return true
  })
}

/** False: it has expired, and others may have been let go in its place. It is counted again from now on. */
export async function renewAdmission(ctx: Context, key: string, holder: string, ttlMs: number): Promise<boolean> {
  return write(ctx, async (tx) => {
    const was = await tx.t
      .selectFrom('requests')
      .select(sql<number>`ends_at > ${tx.now()}`.as('alive'))
      .where('key', '=', key)
      .where('holder', '=', holder)
      .executeTakeFirst()
    await tx.t
      .updateTable('requests')
      .set({ ends_at: sql<number>`${tx.now()} + ${ttlMs}` })
      .where('key', '=', key)
      .where('holder', '=', holder)
      .execute()
    return was?.alive === 1
  })
}

/** The request has ended; `tokens`: what it has used, null where nobody said, then what was reserved stays counted. */
export async function endAdmission(ctx: Context, key: string, holder: string, tokens: number | null): Promise<void> {
  await write(ctx, async (tx) => {
    await tx.t
      .updateTable('requests')
      .set({ ends_at: tx.now(), ...(tokens === null ? {} : { tokens }) })
      .where('key', '=', key)
      .where('holder', '=', holder)
      .execute()
  })
}

/** Lets nothing go to an account for a while, whoever asks. A longer closing holds. */
export async function closeAccount(ctx: Context, key: string, ms: number): Promise<void> {
  await write(ctx, async (tx) => {
    const closed_until = sql<number>`${tx.now()} + ${ms}`
    await tx.t
      .insertInto('accounts')
      .values({ key, ver: 1, closed_until })
      .onConflict((it) =>
        it.column('key').doUpdateSet({
          closed_until: sql<number>`case when accounts.closed_until > ${tx.now()} + ${ms} then accounts.closed_until else ${tx.now()} + ${ms} end`,
        }),
      )
      .execute()
  })
}

/** Takes a closing back: somebody has seen to it. */
export async function openAccount(ctx: Context, key: string): Promise<void> {
  await write(ctx, async (tx) => {
    await tx.t.updateTable('accounts').set({ closed_until: 0 }).where('key', '=', key).execute()
  })
}

/** Ends what a process that is gone had asked for in a run: requests, and tries of closed providers. */
export async function endRequestsOf(ctx: Context, run: string): Promise<void> {
  const own = `${run}/%`
  const open = await ctx.db
    .selectFrom('requests')
    .select('key')
    .where('holder', 'like', own)
    .where('ends_at', '>', ctx.now())
    .executeTakeFirst()
  const trying = await ctx.db.selectFrom('breakers').select('key').where('probe', 'like', own).executeTakeFirst()
  if (!open && !trying) return
  await write(ctx, async (tx) => {
    await tx.t.updateTable('requests').set({ ends_at: tx.now() }).where('holder', 'like', own).where('ends_at', '>', tx.now()).execute()
    await tx.t.updateTable('breakers').set({ probe: null, probe_until: 0 }).where('probe', 'like', own).execute()
  })
}

async function look(db: Db, ctx: Context, key: string, tokens: number, rules: AdmissionRules): Promise<Exclude<Admitted, true> | null> {
  const closed = await db
    .selectFrom('accounts')
    .select(sql<number>`closed_until - ${ctx.now()}`.as('left'))
    .where('key', '=', key)
    .executeTakeFirst()
  if (closed && closed.left > 0) return { retryInMs: closed.left, why: 'closed' }
  const longest = Math.max(0, ...rules.windows.map((it) => it.ms))
  if (rules.concurrent === null && longest === 0) return null
  const known: KnownRequest[] = await db
    .selectFrom('requests')
    .select([sql<number>`${ctx.now()} - at`.as('age'), sql<number>`ends_at - ${ctx.now()}`.as('left'), 'tokens'])
    .where('key', '=', key)
    .where('ends_at', '>', sql<number>`${ctx.now()} - ${longest}`)
    .execute()
  return refusedBy(known, tokens, rules)
}

/** Which rule keeps a request of so many tokens back, and for how long. Pure. A request larger than a limit goes when it is alone. */
export function refusedBy(known: readonly KnownRequest[], tokens: number, rules: AdmissionRules): Exclude<Admitted, true> | null {
  const atWork = known.filter((it) => it.left > 0)
  if (rules.concurrent !== null && atWork.length >= rules.concurrent) {
    return { retryInMs: Math.max(1, Math.min(...atWork.map((it) => it.left))), why: 'concurrent' }
  }
  for (const window of rules.windows) {
    const refused = byRequests(known, window) ?? byTokens(known, tokens, window)
    if (refused) return refused
  }
  return null
}

type Window = AdmissionRules['windows'][number]

function byRequests(known: readonly KnownRequest[], { ms, requests }: Window): Exclude<Admitted, true> | null {
  if (requests === null) return null
  const ages = known
    .map((it) => it.age)
    .filter((age) => age < ms)
    .toSorted((a, b) => b - a)
  if (ages.length < requests) return null
  // The one that has to leave the window.
  return { retryInMs: Math.max(1, ms - (ages[ages.length - requests] ?? 0)), why: 'requests' }
}

/** Tokens count from the beginning of a request until a window after its end: nobody knows when they were used in between. */
function byTokens(known: readonly KnownRequest[], wanted: number, { ms, tokens }: Window): Exclude<Admitted, true> | null {
  if (tokens === null) return null
  const counted = known.filter((it) => it.left > -ms).toSorted((a, b) => a.left - b.left)
  let sum = counted.reduce((all, it) => all + it.tokens, wanted)
  if (sum <= tokens || counted.length === 0) return null
  let retryInMs = 1
  for (const it of counted) {
    if (sum <= tokens) break
    sum -= it.tokens
    retryInMs = Math.max(1, ms + it.left)
  }
  return { retryInMs, why: 'tokens' }
}
