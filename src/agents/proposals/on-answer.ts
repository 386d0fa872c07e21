import { canonicalJson, type Json } from '../../core/json.ts'
import type { Redaction } from '../../core/redact.ts'
import type { Answer } from '../loop/ask.ts'
import { DONE, type Ending, failed } from '../loop/ending.ts'
import { answerIn } from '../loop/output.ts'
import { firstLine } from '../tools/cap.ts'
import type { Proposal } from './answer.ts'
import { type Applied, applyEdits } from './apply.ts'
import { show, type Wish, wishOf } from './shown-files.ts'
import type { Turns } from './state.ts'

/** Answers in a row that were no JSON of the wanted shape: each is told what was wrong with the one before. */
const SHAPE_REPAIRS = 1
/** Answers in a row with edits that could not be made. */
const EDIT_REPAIRS = 3
/** Answers in a row that were cut at the output limit. */
const CUT_ANSWERS = 2
const LOG_ENTRY_CHARS = 1500

/** Takes one answer: checks its shape, does what it proposes. null: the next turn. */
export async function onAnswer(it: Turns, answer: Answer & { ok: true }): Promise<Ending | null> {
  const { work } = it
  if (answer.finish === 'refused') return failed('refused', 'The model refused to answer.')
  if (answer.finish === 'length') {
    work.cuts += 1
    if (work.cuts > CUT_ANSWERS) return failed('bad_output', `The answer was cut at the output limit, ${work.cuts} times in a row.`)
    return tell(it, 'Your answer was cut at its limit of length and not used. Propose less at a time.')
  }
  work.cuts = 0
  const found = answerIn(answer.text, it.check)
  if (!found.ok) {
    work.badShapes += 1
    if (work.badShapes > SHAPE_REPAIRS) return failed('bad_output', `The answer does not have the wanted shape: ${found.problem}`)
    return tell(it, `Your answer was not used, it does not have the wanted shape: ${found.problem}. Give the whole answer again.`)
  }
  work.badShapes = 0
  if (it.request.outputSchema === undefined) return onProposal(it, found.value as unknown as Proposal)
  work.output = found.value
  work.text = summaryOf(found.value) ?? answer.text
  return DONE
}

async function onProposal(it: Turns, proposal: Proposal): Promise<Ending | null> {
  const { work, request, context, redaction } = it
  const { summary, read = [], edits = [] } = proposal
  if (summary.trim() !== '') {
    work.text = summary
    request.emit({ type: 'said', text: redaction.redact(summary) })
  }
  const key = canonicalJson({ read, edits })
  if (work.last?.key === key) {
    // Whoever says the same again has nothing more to say.
    if (work.last.problem === null) return DONE
    return failed('bad_output', `It gave the same answer again after it was told: ${work.last.problem}`)
  }

  const applied = await applyEdits(edits, context)
  for (const one of applied) request.emit(actedOn(one, redaction))
  if (it.signal.aborted) return failed('aborted', 'The step was aborted.')
  const asked = await wishes(it, read)
  work.wishes.push(...applied.filter((one) => one.outcome === 'written').map((one) => ({ path: one.path, from: 1, to: null })))
  work.wishes = newest(work.wishes)
  const refused = applied.filter((one) => one.outcome === 'refused').map((one) => `${one.path} was not changed: ${one.text}`)
  const problem = [...refused, ...asked.problems].join('\n  ') || null
  work.last = { key, problem }
  logTurn(it, summary, applied, problem)
  if (refused.length > 0) {
    work.badEdits += 1
    if (work.badEdits > EDIT_REPAIRS)
      return failed('bad_output', `${work.badEdits} answers in a row could not be applied. The last: ${refused.join(' ')}`)
    return null
  }
  work.badEdits = 0
  const moved = applied.some((one) => one.outcome !== 'unchanged') || asked.fresh > 0 || asked.problems.length > 0
  return proposal.done === true || !moved ? DONE : null
}

/** Puts what the model wants to read in front; says what cannot be read, and how much of it it had not seen. */
async function wishes({ work, context, request }: Turns, read: readonly string[]): Promise<{ fresh: number; problems: string[] }> {
  const problems: string[] = []
  let fresh = 0
  // The first it names matters most, and the last wish comes first.
  for (const wish of read.map(wishOf).toReversed()) {
    const shown = await show(wish, context)
    const known = work.wishes.some((it) => sameWish(it, wish))
    const ok = !('problem' in shown)
    if (!known)
      request.emit({
        type: 'acted',
        tool: 'read_file',
        target: firstLine(wish.path),
        ok,
        summary: ok ? `${shown.lines} lines` : 'not shown',
      })
    if (!ok) problems.push(`"${wish.path}" cannot be shown: ${shown.problem}.`)
    else {
      if (!known) fresh += 1
      work.wishes.push(wish)
    }
  }
  return { fresh, problems }
}

function newest(all: readonly Wish[]): Wish[] {
  return all.filter((wish, at) => !all.slice(at + 1).some((later) => sameWish(later, wish)))
}

function sameWish(a: Wish, b: Wish): boolean {
  return a.path === b.path && a.from === b.from && a.to === b.to
}

function logTurn(it: Turns, summary: string, applied: readonly Applied[], problem: string | null): void {
  const made = applied
    .filter((one) => one.outcome !== 'refused')
    .map((one) => `${one.path} (${[one.outcome, one.text].filter(Boolean).join('; ')})`)
  const lines = [
    `Turn ${it.work.turn}: ${firstLine(summary) || 'no summary'}`,
    ...(made.length === 0 ? [] : [`Files: ${made.join(', ')}`]),
    ...(problem === null ? [] : [problem]),
  ]
  tell(it, lines.join('\n  '))
}

function tell({ work }: Turns, text: string): null {
  work.log.push(text.length > LOG_ENTRY_CHARS ? `${text.slice(0, LOG_ENTRY_CHARS)} …` : text)
  return null
}

const TOOLS = { written: 'edit_file', unchanged: 'edit_file', refused: 'edit_file', deleted: 'delete_file' } as const

function actedOn({ path, outcome, text }: Applied, { redact }: Redaction) {
  const summary = firstLine(redact(text === '' ? outcome : `${outcome}: ${text}`))
  return { type: 'acted', tool: TOOLS[outcome], target: firstLine(redact(path)), ok: outcome !== 'refused', summary } as const
}

/** What a structured answer says of itself. */
function summaryOf(output: Json): string | null {
  if (output === null || typeof output !== 'object' || Array.isArray(output)) return null
  return typeof output['summary'] === 'string' ? output['summary'] : null
}
