import type { AuditEntry } from '../store/audit.ts'
import type { Context } from './context.ts'
import type { Verb } from './operation.ts'

type Known = Pick<Verb<never>, 'name' | 'effect' | 'permission'> & { place?: 'caller' }
type Fields = Readonly<Record<string, unknown>>

/** Does the record of what was asked for tell of calls that succeed? Those that only read leave no line; refused ones always do. */
export function isAudited(it: Pick<Verb<never>, 'effect'> & { place?: 'caller' }, streams: boolean): boolean {
  // Commands of one's own, on one's own files, in one's own process: gate and demo.
  return it.effect !== 'read' && !(streams && it.place === 'caller')
}

/** Writes down that a call was done, or begun. Rejects where that cannot be written, but for what a person does in a process of their own. */
export async function recordDone(it: Known, context: Context, input: unknown, result: 'ok' | 'begun', answer?: unknown): Promise<void> {
  const written = context.audit.record(entryOf(it, context, input, result, answer))
  // `reeve init` works where nothing can be kept.
  await (it.place === 'caller' && context.caller.kind === 'user' ? written.catch(() => undefined) : written)
}

/** Writes down that a call has failed or was refused. A record that cannot be written hides no error. */
export async function recordFailed(it: Known, context: Context, input: unknown, code: string): Promise<void> {
  await context.audit.refused(entryOf(it, context, input, code)).catch(() => undefined)
}

function entryOf(it: Known, context: Context, input: unknown, result: string, answer?: unknown): AuditEntry {
  return {
    actor: context.actor,
    action: it.name,
    via: context.via,
    result,
    target: targetOf(it, namedIn(context, fieldsOf(input)), fieldsOf(answer)),
  }
}

/** A run by its id: nobody knows later which was the `last` one. */
function namedIn({ named }: Pick<Context, 'named'>, input: Fields): Fields {
  const id = (text: unknown): unknown => (typeof text === 'string' ? (named?.get(text) ?? text) : text)
  const { run, runs } = input
  return { ...input, ...(run === undefined ? {} : { run: id(run) }), ...(Array.isArray(runs) ? { runs: runs.map(id) } : {}) }
}

/** Fields that say on what and how; everything else may be content. */
const ABOUT = ['run', 'runs', 'project', 'projects', 'path', 'provider', 'model', 'webhook', 'all', 'all_projects'] as const
const HOW = [
  'role',
  'accept_isolation',
  'trust',
  'force',
  'how',
  'branch',
  'folder',
  'attempt',
  'priority',
  'expires',
  'by_tool',
  'check',
] as const
/** Keys, models and backups have names; elsewhere a name or a key is the caller's own word. */
const NAMED = ['key', 'name', 'file'] as const

function targetOf({ permission }: Known, input: Fields, answer: Fields): string {
  const fields = permission.startsWith('runs:') || permission.startsWith('queue:') ? [...ABOUT, ...HOW] : [...ABOUT, ...NAMED, ...HOW]
  const said = fields.flatMap((name) => {
    const text = textOf(input[name])
    return text === null ? [] : [`${name}=${text}`]
  })
  const made = input['run'] === undefined ? idsIn(answer) : []
  return [...said, ...(made.length === 0 ? [] : [`made=${made.join(',')}`])].join(' ')
}

// So many of a list say enough.
const MOST = 20

function textOf(value: unknown): string | null {
  if (Array.isArray(value)) return value.length === 0 ? null : value.slice(0, MOST).map(String).join(',')
  if (typeof value === 'string') return value
  return value === true || typeof value === 'number' ? String(value) : null
}

/** Ids of what an answer says was made: runs, an API key. */
function idsIn(answer: Fields): string[] {
  const runs = Array.isArray(answer['runs']) ? (answer['runs'] as unknown[]) : []
  return [...runs, answer['key']].slice(0, MOST).flatMap((it) => {
    const { id } = fieldsOf(it)
    return typeof id === 'string' ? [id] : []
  })
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}
