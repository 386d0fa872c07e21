import { sql } from 'kysely'
import { type Context, type Tx, write } from './tx.ts'

/** Something that was asked for: by whom, from where, on what, and what came of it. Holds no content and no secret. */
export interface AuditEntry {
  actor: string
  /** Name of the operation, or `login`. */
  action: string
  target: string
  via: string
  /** `ok`, or the code of an error. */
  result: string
}

export interface AuditLine extends AuditEntry {
  /** From 1, without gaps. */
  seq: number
  /** Epoch ms. */
  ts: number
}

export interface SealedLine extends AuditLine {
  /** Id of the key. */
  sealedBy: string
  seal: string
}

/** Makes seals; the key is not in the store, so that who can only write there cannot make them. */
export interface Sealer {
  keyId: string
  /** Over a line and the seal of the one before, '' for the first. */
  line(before: string, line: AuditLine): string
  /** Over the place where the record ends. */
  head(seq: number, seal: string): string
}

export interface AuditHead {
  seq: number
  /** Seal of the last line. */
  last: string
  /** Of the head itself. */
  seal: string
}

const DAY_MS = 86_400_000

/** Adds lines in one transaction, so that those of several processes are one chain. True: the head is due to be noted outside of the store. */
export async function appendAudit(
  ctx: Context,
  entries: readonly AuditEntry[],
  sealer: Sealer,
): Promise<{ head: AuditHead; due: boolean }> {
  return write(ctx, async (tx) => {
    const now = await timeOf(tx)
    const known = await tx.t.selectFrom('audit_head').select(['seq', 'anchored_at']).where('id', '=', 1).executeTakeFirst()
    const last = await tx.t.selectFrom('audit').select(['seq', 'seal']).orderBy('seq', 'desc').limit(1).executeTakeFirst()
    // Where somebody has cut the end or added to it, the record goes on behind it, and the check tells.
    const before = { seq: Math.max(known?.seq ?? 0, last?.seq ?? 0), last: last?.seal ?? '' }
    const lines = sealed(
      before,
      entries.map((it) => clean(tx, it)),
      now,
      sealer,
    )
    await tx.t
      .insertInto('audit')
      .values(lines.map(({ sealedBy, ...it }) => ({ ...it, sealed_by: sealedBy })))
      .execute()
    const end = lines.at(-1) ?? { ...before, seal: before.last }
    const head = { seq: end.seq, last: end.seal, seal: sealer.head(end.seq, end.seal) }
    const due = now - (known?.anchored_at ?? 0) >= DAY_MS
    const kept = { seq: head.seq, seal: head.seal, ...(due ? { anchored_at: now } : {}) }
    await tx.t
      .insertInto('audit_head')
      .values({ id: 1, anchored_at: now, ...kept })
      .onConflict((it) => it.column('id').doUpdateSet(kept))
      .execute()
    return { head, due }
  })
}

async function timeOf(tx: Tx): Promise<number> {
  const row = await tx.t.selectNoFrom(tx.now().as('now')).executeTakeFirstOrThrow()
  return row.now
}

// A name or a path that is longer says nothing more.
const LONGEST = 500

function clean(tx: Tx, entry: AuditEntry): AuditEntry {
  const short = (text: string) => tx.redact(text).slice(0, LONGEST)
  return {
    actor: short(entry.actor),
    action: short(entry.action),
    target: short(entry.target),
    via: short(entry.via),
    result: short(entry.result),
  }
}

function sealed(before: { seq: number; last: string }, entries: readonly AuditEntry[], ts: number, sealer: Sealer): SealedLine[] {
  let { last } = before
  return entries.map((entry, at) => {
    const line = { seq: before.seq + at + 1, ts, ...entry }
    last = sealer.line(last, line)
    return { ...line, sealedBy: sealer.keyId, seal: last }
  })
}

export interface AuditFilter {
  /** Epoch ms. */
  since?: number
  actor?: string
  limit: number
}

/** The newest lines, the oldest of them first. */
export async function auditLines(ctx: Context, { since, actor, limit }: AuditFilter): Promise<SealedLine[]> {
  let query = ctx.db.selectFrom('audit').selectAll()
  if (since !== undefined) query = query.where('ts', '>=', since)
  if (actor !== undefined) query = query.where('actor', '=', actor)
  const rows = await query.orderBy('seq', 'desc').limit(limit).execute()
  return rows.toReversed().map(lineOf)
}

/** Lines after a number, in their order. */
export async function auditPage(ctx: Context, after: number, limit: number): Promise<SealedLine[]> {
  const rows = await ctx.db.selectFrom('audit').selectAll().where('seq', '>', after).orderBy('seq').limit(limit).execute()
  return rows.map(lineOf)
}

/** Where the record says that it ends; null: nothing was ever written. */
export async function auditHead(ctx: Context): Promise<{ seq: number; seal: string } | null> {
  const row = await ctx.db.selectFrom('audit_head').select(['seq', 'seal']).where('id', '=', sql<number>`1`).executeTakeFirst()
  return row ?? null
}

function lineOf({ sealed_by: sealedBy, ...row }: Omit<SealedLine, 'sealedBy'> & { sealed_by: string }): SealedLine {
  return { ...row, sealedBy }
}
