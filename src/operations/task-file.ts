import { type Document, isAlias, isMap, LineCounter, type Node, parseAllDocuments } from 'yaml'
import type { z } from 'zod'
import { nearest, ReeveError } from '../core/errors.ts'
import { type Task, taskSchema } from '../core/task.ts'
import { sentence } from './invoke.ts'
import { oddKey } from './yaml-keys.ts'

/** Text of a task file and its name for messages. */
export interface TaskDocument {
  name: string
  text: string
}

export interface ReadTasks {
  tasks: Task[]
  /** Fields that are probably mistyped; they are kept in the task's context. */
  warnings: string[]
}

/** Of one kind: nobody reads more at once, and finding the line of each takes its time. */
const MOST_TOLD = 100

interface Problem {
  where: string
  problem: string
}

/**
 * Reads task files: YAML or JSON, one task, a list of tasks, `tasks:` with a list, several documents. Unknown fields go to `context`.
 * Throws one `invalid_task` that lists every problem with file:line.
 */
export function readTaskFiles(documents: readonly TaskDocument[]): ReadTasks {
  const problems: Problem[] = []
  const warnings: string[] = []
  const tasks = documents.flatMap((it) => readOne(it, problems, warnings))
  if (problems.length === 0 && tasks.length === 0) problems.push({ where: documents[0]?.name ?? 'tasks', problem: 'holds no task' })
  checkIds(tasks, problems)
  if (problems.length > 0) throw refusal(problems)
  return { tasks: tasks.map((it) => it.task), warnings }
}

interface Placed {
  task: Task
  where: string
}

function readOne(source: TaskDocument, problems: Problem[], warnings: string[]): Placed[] {
  const counter = new LineCounter()
  const parsed = parseAllDocuments(source.text, { lineCounter: counter, prettyErrors: false, uniqueKeys: false })
  const documents = Array.isArray(parsed) ? parsed : []
  const place = (node: unknown): string => `${source.name}:${lineOf(node, counter)}`
  return documents.flatMap((document) => {
    // Unknown tags are only warnings for the parser; here they would silently become texts.
    const [broken] = [...document.errors, ...document.warnings]
    if (broken) {
      problems.push({ where: `${source.name}:${counter.linePos(broken.pos[0]).line}`, problem: firstLine(broken.message) })
      return []
    }
    const odd = oddKey(document)
    if (odd !== null) {
      problems.push({ where: `${source.name}:${counter.linePos(odd.offset).line}`, problem: odd.problem })
      return []
    }
    return taskNodes(document).flatMap((node) => readTask(node, document, place, problems, warnings))
  })
}

function lineOf(node: unknown, counter: LineCounter): number {
  const range = (node as Node | undefined)?.range
  return range ? counter.linePos(range[0]).line : 1
}

function taskNodes(document: Document): Node[] {
  const top = document.contents
  if (top === null) return []
  const list = isMap(top) && top.has('tasks') && !top.has('id') ? (top.get('tasks', true) as Node) : top
  if ('items' in list && !isMap(list)) return list.items as Node[]
  return [list]
}

function readTask(node: Node, document: Document, place: (node: unknown) => string, problems: Problem[], warnings: string[]): Placed[] {
  const where = place(node)
  const value = valueOf(node, document)
  if (!isRecord(value)) {
    problems.push({ where, problem: 'is no task; a task is a table with at least id, title and description' })
    return []
  }
  const at = (path: readonly PropertyKey[]) => place(nodeAt(node, path) ?? node)
  const odd = oddValue(value, [])
  if (odd !== null) {
    problems.push({ where: at(odd.path), problem: odd.problem })
    return []
  }
  const { known, unknown } = splitFields(value)
  const unread = unknownInner(known).map(([path, problem]) => ({ where: at(path), problem }))
  const result = taskSchema.safeParse(known)
  const issues = result.success
    ? []
    : firstPerPath(result.error.issues).map((issue) => ({ where: at(issue.path), problem: issueText(issue, known, unknown) }))
  problems.push(...unread, ...issues)
  if (!result.success) return []

  for (const field of Object.keys(unknown).slice(0, MOST_TOLD)) {
    const near = nearest(field, FIELDS)
    if (near !== undefined)
      warnings.push(`${at([field])}: unknown field "${field}" is given to the role as context; did you mean "${near}"?`)
  }
  return [{ task: { ...result.data, context: { ...result.data.context, ...unknown } }, where }]
}

/** What no task can hold: a key that stands for an object's prototype, and values that only YAML knows. */
function oddValue(value: unknown, path: readonly string[]): { path: readonly string[]; problem: string } | null {
  if (typeof value === 'bigint') return { path, problem: `${path.join('.')} is a number too large to be exact` }
  if (value === null || typeof value !== 'object') return null
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) {
    return { path, problem: `${path.join('.')} must be a text, a number, true, false, a list or a table` }
  }
  for (const [key, inner] of Object.entries(value as Record<string, unknown>)) {
    if (key === '__proto__') return { path: [...path, key], problem: `unknown field "${[...path, key].join('.')}"` }
    const odd = oddValue(inner, [...path, key])
    if (odd !== null) return odd
  }
  return null
}

/** Resolves aliases within the bounds of the parser, which refuses alias bombs. */
function valueOf(node: Node, document: Document): unknown {
  const value = isAlias(node) ? node.resolve(document) : node
  try {
    return value === undefined ? undefined : (value.toJS(document, { maxAliasCount: 100 }) as unknown)
  } catch (error) {
    throw new ReeveError('invalid_task', { where: 'task file', problem: error instanceof Error ? error.message : String(error) })
  }
}

function nodeAt(node: Node, path: readonly PropertyKey[]): unknown {
  let found: unknown = node
  for (const key of path) {
    if (found === null || typeof found !== 'object' || !('get' in found)) return found
    const next: unknown = (found as { get: (key: unknown, keep: boolean) => unknown }).get(key, true)
    if (next === undefined) return found
    found = next
  }
  return found
}

const FIELDS = Object.keys(taskSchema.shape)
const INNER: Record<string, readonly string[]> = { acceptance: ['lint', 'typecheck', 'tests'], budget: ['usd', 'tokens', 'minutes'] }

function splitFields(value: Record<string, unknown>): { known: Record<string, unknown>; unknown: Record<string, unknown> } {
  const entries = Object.entries(value)
  return {
    known: Object.fromEntries(entries.filter(([key]) => FIELDS.includes(key))),
    unknown: Object.fromEntries(entries.filter(([key]) => !FIELDS.includes(key))),
  }
}

/** Fields of `acceptance` and `budget` decide what is checked and spent: a mistyped one may not vanish. */
function unknownInner(known: Record<string, unknown>): [string[], string][] {
  return Object.entries(INNER).flatMap(([field, allowed]) => {
    const value = known[field]
    if (!isRecord(value)) return []
    return Object.keys(value)
      .filter((it) => !allowed.includes(it))
      .slice(0, MOST_TOLD)
      .map((it): [string[], string] => {
        const near = nearest(it, allowed)
        return [
          [field, it],
          `unknown field "${field}.${it}"; ${near === undefined ? `allowed: ${allowed.join(', ')}` : `did you mean "${near}"?`}`,
        ]
      })
  })
}

function firstPerPath(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const first = new Map<string, z.core.$ZodIssue>()
  for (const it of issues) {
    const path = it.path.join('.')
    if (!first.has(path)) first.set(path, it)
    if (first.size === MOST_TOLD) break
  }
  return [...first.values()]
}

function issueText(issue: z.core.$ZodIssue, known: Record<string, unknown>, unknown: Record<string, unknown>): string {
  const field = issue.path.map(String).join('.')
  const [top] = issue.path
  if (issue.path.length === 1 && typeof top === 'string' && !(top in known)) {
    const near = nearest(top, Object.keys(unknown))
    return near === undefined ? `${field} is missing` : `${field} is missing; is it "${near}" that is mistyped?`
  }
  if (issue.code === 'invalid_union') return `${field} must be true, false, or a command`
  return `${field} ${joined(sentence(issue))}`
}

/** `is not allowed; allowed: a, b`, `must be a text`. */
export function joined(text: string): string {
  return /^(?:must|is) /.test(text) ? text : `is not allowed; ${text.replace(/^allowed: /, 'allowed: ')}`
}

function checkIds(tasks: readonly Placed[], problems: Problem[]): void {
  const first = new Map<string, string>()
  for (const { task, where } of tasks) {
    const before = first.get(task.id)
    if (before !== undefined) problems.push({ where, problem: `the id "${task.id}" is taken by the task at ${before}` })
    else first.set(task.id, where)
    if (task.depends_on.includes(task.id)) problems.push({ where, problem: `task "${task.id}" depends on itself` })
  }
}

function refusal(problems: readonly Problem[]): ReeveError {
  const [first, ...rest] = problems.slice(0, MOST_TOLD)
  const untold = problems.length > MOST_TOLD ? `\n… and ${problems.length - MOST_TOLD} more` : ''
  const more = `${rest.map((it) => `\n${it.where}: ${it.problem}`).join('')}${untold}`
  return new ReeveError('invalid_task', { where: first?.where ?? 'task', problem: `${first?.problem ?? 'cannot be read'}${more}` })
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
