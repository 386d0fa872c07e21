import { z } from 'zod'
import { problemOf } from '../../core/errors.ts'
import type { ProgramResult } from '../../process/port.ts'
import { ripgrep } from './ripgrep.ts'
import { refused, type Tool, type ToolContext, type ToolOutcome } from './tool.ts'

const MAX_LINES = 200
const MAX_LINE_CHARS = 300

const input = z.object({
  pattern: z.string().min(1).max(1000).describe('A regular expression; with literal: true a plain text'),
  path: z.string().default('.').describe('Folder or file to search, from the root of the repository'),
  glob: z.string().optional().describe('Only files that fit, such as *.py'),
  literal: z.boolean().default(false).describe('Take the pattern as plain text'),
  ignore_case: z.boolean().default(false),
})
type Input = z.infer<typeof input>

export const searchTextTool: Tool<Input> = {
  name: 'search_text',
  file: 'search-text',
  input,
  allowed: () => true,
  run: async (wanted, context: ToolContext): Promise<ToolOutcome> => {
    const target = `${wanted.pattern} in ${wanted.path}`
    let path = '.'
    try {
      path = await placeOf(wanted.path, context)
    } catch (error) {
      return refused(target, `search_text: ${problemOf(error)}`)
    }
    const found = (await ripgrep(ripgrepArgs(wanted, path, context), context)) ?? (await gitGrep(wanted, path, context))
    if (found.ended === 'exited' && found.exitCode === 1) return { ok: true, text: 'No match.', target, summary: 'no match' }
    if (found.ended === 'flooded' || (found.ended === 'exited' && (found.exitCode === 0 || found.stdout !== '')))
      return shown(found, target, context)
    const why = found.ended === 'timeout' ? 'it took too long; search a smaller folder' : firstLineOf(found.stderr || found.problem)
    return refused(target, `search_text: ${why}. To search for plain text, give literal: true.`)
  },
}

/** A folder or a file that may be looked into. A path is followed by the searching program, so no link may stand for either. */
async function placeOf(wanted: string, context: ToolContext): Promise<string> {
  if (wanted === '.' || wanted === './') return '.'
  const path = context.files.check(wanted.replace(/\/+$/, ''))
  const refusal = context.guard.refusal(path)
  if (refusal !== null) throw new Error(refusal.replace(/\.$/, ''))
  const isFolder = await context.files.list(path).then(
    () => true,
    () => false,
  )
  if (isFolder || (await context.files.read(path, context.guard.maxBytes)) !== null) return path
  throw new Error(`there is no file or folder "${path}"`)
}

function ripgrepArgs(wanted: Input, path: string, { guard }: ToolContext): string[] {
  return [
    '--line-number',
    '--no-heading',
    '--with-filename',
    '--null',
    '--sort=path',
    '--max-columns=400',
    '--max-columns-preview',
    '--max-count=50',
    `--max-filesize=${guard.maxBytes}`,
    ...(wanted.literal ? ['--fixed-strings'] : []),
    ...(wanted.ignore_case ? ['--ignore-case'] : []),
    ...(wanted.glob === undefined ? [] : [`--glob=${wanted.glob}`]),
    `--regexp=${wanted.pattern}`,
    '--',
    path,
  ]
}

/** Where ripgrep has no binary: plain grep. It knows no ignore files, so the usual heavy folders are left out by name. */
function gitGrep(wanted: Input, path: string, context: ToolContext): Promise<ProgramResult> {
  return context.runProgram({
    argv: [
      'grep',
      '-rnIZ',
      wanted.literal ? '-F' : '-E',
      '-m50',
      ...(wanted.ignore_case ? ['-i'] : []),
      '--exclude-dir=.git',
      '--exclude-dir=node_modules',
      ...(wanted.glob === undefined ? [] : [`--include=${wanted.glob.replace(/^.*\//, '')}`]),
      '-e',
      wanted.pattern,
      '--',
      path,
    ],
    cwd: context.checkout.path,
    env: { PATH: context.checkout.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8' },
    timeoutMs: 20_000,
    keepBytes: 256 * 1024,
    signal: context.signal,
  })
}

function shown(found: ProgramResult, target: string, { guard }: ToolContext): ToolOutcome {
  // A line that does not tell its file, as beside a cut in long output, could be of one that nobody may read.
  const lines = found.stdout.split('\n').flatMap((line) => {
    const [path = '', match] = line.replace(/^\.\//, '').split('\0')
    return match === undefined || guard.refusal(path) !== null ? [] : [`${path}:${match}`]
  })
  if (lines.length === 0) return { ok: true, text: 'No match.', target, summary: 'no match' }
  const text = lines
    .slice(0, MAX_LINES)
    .map((it) => (it.length > MAX_LINE_CHARS ? `${it.slice(0, MAX_LINE_CHARS)} …` : it))
    .join('\n')
  const more =
    lines.length > MAX_LINES || found.dropped > 0 ? `\n(more than ${MAX_LINES} lines fit; search a folder or a longer pattern)` : ''
  return { ok: true, text: text + more, target, summary: `${lines.length}${more === '' ? '' : ' or more'} lines` }
}

function firstLineOf(text: string): string {
  const lines = text.trim().split('\n')
  return (lines.findLast((it) => it.includes('error')) ?? lines[0] ?? '').replace(/^rg: /, '').replace(/\.$/, '')
}
