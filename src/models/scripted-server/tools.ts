import type { Json } from '../../core/json.ts'
import { argumentsFor, type Meant, takes } from './arguments.ts'
import type { AskedTool } from './dialect.ts'
import type { ScriptStep } from './script.ts'

/** Names of the tools of the various programs, lower case without "_" and "-", the best first. */
const READERS = ['readfile', 'read', 'view', 'readfiles', 'viewfile']
const WRITERS = ['writefile', 'write', 'createfile', 'writetofile']
// "create" of some programs refuses a file that is there.
const CREATORS = ['create']
const EDITORS = ['editfile', 'edit', 'replace', 'editor', 'strreplace', 'searchreplace', 'multiedit', 'replaceinfile']
const RUNNERS = [
  'runcommand',
  'runshellcommand',
  'bash',
  'execute',
  'execcommand',
  'shell',
  'runcommands',
  'runterminalcommand',
  'terminal',
]
const ANSWERERS = ['finish', 'structuredoutput']

export interface ToolUse {
  name: string
  input: { [key: string]: Json }
}

/**
 * The call by which a program does a step, with the tools that it has sent: its own for that, else its shell. null: it has none.
 * `folder`: where it works, absolute, or null where that is not known.
 */
export function useFor(step: ScriptStep, tools: readonly AskedTool[], folder: string | null): ToolUse | null {
  if (step.call !== undefined) return { name: step.call.tool, input: step.call.input }
  const by = (names: readonly string[], meant: Meant, line?: string) => byTool(names, meant, tools) ?? byShell(line, tools)
  const at = (path: string) => (folder === null || path.startsWith('/') ? path : `${folder.replace(/\/$/, '')}/${path}`)

  if (step.read !== undefined) return by(READERS, { path: at(step.read) }, `cat ${quoted(step.read)}`)
  if (step.run !== undefined) return byShell(step.run, tools)
  if (step.write !== undefined) {
    const { path, content } = step.write
    return by([...WRITERS, ...creators(tools)], { path: at(path), content }, writeLine(path, content))
  }
  if (step.edit !== undefined) {
    const { path, old, new: replacement } = step.edit
    return by(EDITORS, { path: at(path), old, new: replacement }, editLine(path, old, replacement))
  }
  return null
}

/** The tool by which this program hands over an answer, if it has one. */
export function useForAnswer(answer: Json, tools: readonly AskedTool[]): ToolUse | null {
  const tool = find(ANSWERERS, tools)
  if (!tool) return null
  const isOutput = takesKey(tool.schema, 'output')
  if (isOutput) return { name: tool.name, input: { ...argumentsFor(tool.schema, {}), output: answer } }
  return answer !== null && typeof answer === 'object' && !Array.isArray(answer) ? { name: tool.name, input: answer } : null
}

function byTool(names: readonly string[], meant: Meant, tools: readonly AskedTool[]): ToolUse | null {
  const tool = find(names, tools, (it) => (Object.keys(meant) as (keyof Meant)[]).every((what) => takes(it.schema, what)))
  return tool ? { name: tool.name, input: argumentsFor(tool.schema, meant) } : null
}

function byShell(line: string | undefined, tools: readonly AskedTool[]): ToolUse | null {
  return line === undefined ? null : byTool(RUNNERS, { command: line }, tools)
}

/** Only where its shell cannot do it better. */
function creators(tools: readonly AskedTool[]): readonly string[] {
  return find(RUNNERS, tools) && find(EDITORS, tools, (it) => takesKey(it.schema, 'old_str')) ? [] : CREATORS
}

function find(
  names: readonly string[],
  tools: readonly AskedTool[],
  fits: (tool: AskedTool) => boolean = () => true,
): AskedTool | undefined {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[_-]/g, '')
  return names.flatMap((name) => tools.filter((it) => plain(it.name) === name && fits(it)))[0]
}

function takesKey(schema: Json, key: string): boolean {
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) return false
  const { properties } = schema
  return properties !== null && typeof properties === 'object' && !Array.isArray(properties) && key in properties
}

function writeLine(path: string, content: string): string {
  const folder = path.includes('/') ? `mkdir -p ${quoted(path.slice(0, path.lastIndexOf('/')))} && ` : ''
  return `${folder}printf '%s' ${quoted(content)} > ${quoted(path)}`
}

function editLine(path: string, old: string, replacement: string): string {
  const program =
    "const [f,a,b]=process.argv.slice(1),s=require('fs'),t=s.readFileSync(f,'utf8');if(!t.includes(a))process.exit(1);s.writeFileSync(f,t.replace(a,()=>b))"
  return `node -e ${quoted(program)} ${[path, old, replacement].map(quoted).join(' ')}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
