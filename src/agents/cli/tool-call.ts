import type { Json } from '../../core/json.ts'
import { at, listAt, textAt } from './line.ts'
import type { CliEvent } from './port.ts'

type ToolEvent = Extract<CliEvent, { t: 'tool' }>
export type ToolKind = ToolEvent['kind']

/** Tools of all CLIs by name, in lower case and without "_" and "-": they speak of the same few things. */
const KINDS: readonly [RegExp, ToolKind][] = [
  [/^mcp/, 'mcp'],
  [/bash|shell|exec|runcommand|terminal/, 'execute'],
  [/edit|write|replace|create|patch|delete|insert/, 'edit'],
  [/grep|glob|search|find|fetch/, 'search'],
  [/read|view|^ls$|^list|open/, 'read'],
]
/** Where they name the file or the command. */
const TARGETS = [
  'file_path',
  'filePath',
  'filepath',
  'absolute_path',
  'path',
  'command',
  'cmd',
  'commands.0',
  'pattern',
  'query',
  'url',
  'files.0.path',
  'paths.0',
]
const TARGET_LENGTH = 300
const OUTPUT_LENGTH = 2000

export function kindOf(name: string): ToolKind {
  const plain = name.toLowerCase().replaceAll(/[_-]/g, '')
  return KINDS.find(([pattern]) => pattern.test(plain))?.[1] ?? 'other'
}

/** The file or command that a call is about, '' when its input names none. */
export function targetOf(input: Json | undefined): string {
  for (const path of TARGETS) {
    const found = at(input, path)
    if (typeof found === 'string' && found !== '') return cut(found, TARGET_LENGTH)
    if (Array.isArray(found) && found.every((it) => typeof it === 'string')) return cut(found.join(' '), TARGET_LENGTH)
  }
  return ''
}

/**
 * The calls of one run: each that begins ends, also when the program is killed before it says so, and one that only ends has begun.
 */
export interface Calls {
  begin(id: string, name: string, input: Json | undefined): CliEvent[]
  /** `name` where it is told again. */
  end(id: string, ok: boolean, output: Json | undefined, name?: string): CliEvent[]
  /** Ends what has not ended. */
  left(): CliEvent[]
}

export function createCalls(): Calls {
  const open = new Map<string, string>()
  const begin: Calls['begin'] = (id, name, input) => {
    if (open.has(id)) return []
    open.set(id, name)
    const target = targetOf(input)
    return [{ t: 'tool', id, phase: 'start', kind: kindOf(name), name, ...(target !== '' && { target }) }]
  }
  const end: Calls['end'] = (id, ok, output, told) => {
    const name = open.get(id) ?? told ?? 'tool'
    const begun = begin(id, name, undefined)
    open.delete(id)
    const text = cut(textOf(output), OUTPUT_LENGTH)
    return [...begun, { t: 'tool', id, phase: 'end', kind: kindOf(name), name, ok, ...(text !== '' && { output: text }) }]
  }
  return { begin, end, left: () => [...open.keys()].flatMap((id) => end(id, false, undefined)) }
}

/** The text of a result: a string, a list of blocks with text, or an object with content. */
function textOf(output: Json | undefined): string {
  if (typeof output === 'string') return output
  if (Array.isArray(output))
    return output.map((it) => (typeof it === 'string' ? it : textAt(it, 'text') || textAt(it, 'result'))).join('\n')
  const content = listAt(output, 'content')
  return content.length > 0 ? textOf(content) : textAt(output, 'content')
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}
