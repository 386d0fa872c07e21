import type { SealedLine, Sealer } from '../store/audit.ts'
import type { Store } from '../store/open.ts'
import type { Anchor } from './audit.ts'

export interface AuditFinding {
  /** Number of the first line that is not as it was written. */
  line: number
  problem: string
}

export interface AuditCheck {
  lines: number
  broken: AuditFinding | null
  /** Where it ends, to be kept elsewhere; null: nothing was written yet. */
  head: { seq: number; seal: string } | null
  /** Notes of earlier ends that it was compared with. */
  anchors: number
}

const PAGE = 1000

/**
 * Reads the whole record and names the first line that is not as it was written. A tail that was cut shows against the head in the store, and,
 * where that was put back to an older one as well, against the notes outside of the store that are younger than the cut.
 */
export async function verifyAudit(
  store: Pick<Store, 'access'>,
  { sealer, anchors }: { sealer: Sealer; anchors: readonly Anchor[] },
): Promise<AuditCheck> {
  const noted = new Map(anchors.map((it) => [it.seq, it]))
  let before = { seq: 0, seal: '' }
  for (;;) {
    const page = await store.access.auditPage(before.seq, PAGE)
    for (const line of page) {
      const problem = problemOfLine(line, before, sealer, noted.get(line.seq))
      if (problem !== null) return { lines: before.seq, broken: { line: before.seq + 1, problem }, head: null, anchors: anchors.length }
      before = { seq: line.seq, seal: line.seal }
    }
    if (page.length < PAGE) break
  }
  const problem = problemOfEnd(before, await store.access.auditHead(), { sealer, anchors })
  const broken = problem === null ? null : { line: before.seq + 1, problem }
  return { lines: before.seq, broken, head: broken === null && before.seq > 0 ? before : null, anchors: anchors.length }
}

interface End {
  seq: number
  seal: string
}

function problemOfLine(line: SealedLine, before: End, sealer: Sealer, noted: Anchor | undefined): string | null {
  if (line.seq !== before.seq + 1) return `is missing: the next one is ${line.seq}`
  if (line.sealedBy !== sealer.keyId) return `was sealed with another key (${line.sealedBy}) than the one that is here (${sealer.keyId})`
  if (sealer.line(before.seal, line) !== line.seal) return 'is not as it was written, or was not written there'
  return noted === undefined || noted.seal === line.seal ? null : `is another one than on ${noted.at}, when its seal was noted`
}

function problemOfEnd(end: End, head: End | null, { sealer, anchors }: { sealer: Sealer; anchors: readonly Anchor[] }): string | null {
  if (head !== null && head.seq > end.seq) return `is missing: the record went on to line ${head.seq}`
  if ((head === null && end.seq > 0) || (head !== null && sealer.head(end.seq, end.seal) !== head.seal)) {
    return 'may be missing: what says where the record ends is not as it was written'
  }
  const later = anchors.find((it) => it.seq > end.seq)
  return later === undefined ? null : `is missing: on ${later.at} the record went on to line ${later.seq}`
}
