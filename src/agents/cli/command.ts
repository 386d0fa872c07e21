import { type Json, parseJson } from '../../core/json.ts'
import type { ProviderSettings } from '../../core/settings.ts'
import { classOf, problemIn } from './classify.ts'
import { at, type Fields, numberAt, objectOf } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest, WireDialect } from './port.ts'
import { promptArgument } from './prompt-argument.ts'

/** Output that is kept to be read as one object. */
const KEPT = 16 * 1024 * 1024

/** Any other program, described by its settings: how the prompt goes in, how the result comes out. */
export function commandAdapter(settings: ProviderSettings): CliAdapter {
  const { base_url: baseUrl } = settings
  return {
    kind: 'command',
    binary: settings.binary ?? '',
    tested: null,
    experimental: false,
    api: baseUrl === undefined ? null : { baseUrl: withoutPath(baseUrl), dialect: dialectOf(baseUrl), keyVariables: [] },
    login: null,
    session: sessionOf(settings),
    acp: null,
    quirks: { quiet: 'all' },
    command: (request) => ({
      args: argumentsOf(settings, request),
      input: settings.prompt === 'stdin' ? request.prompt : null,
      env:
        request.endpoint === null
          ? {}
          : { OPENAI_BASE_URL: `${request.endpoint.baseUrl}/v1`, ANTHROPIC_BASE_URL: request.endpoint.baseUrl },
      files: [],
      secrets: request.endpoint === null ? {} : { OPENAI_API_KEY: request.endpoint.key, ANTHROPIC_API_KEY: request.endpoint.key },
    }),
    reader: () => (settings.output === 'lines' ? readLines(settings) : readWhole(settings)),
  }
}

function withoutPath(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/v1$/, '')
}

function dialectOf(url: string): WireDialect {
  if (/anthropic/i.test(url)) return 'anthropic'
  return /generativelanguage/i.test(url) ? 'google' : 'openai-chat'
}

function sessionOf({ result, args }: ProviderSettings): CliAdapter['session'] {
  const takes = args.some((it) => it.includes('{session}'))
  if (!takes) return 'none'
  return result?.session === undefined ? 'ours' : 'theirs'
}

/** A prompt that no placeholder asks for comes last. */
function argumentsOf(settings: ProviderSettings, request: CliRequest): string[] {
  const values: Readonly<Record<string, string>> = {
    model: request.model ?? '',
    prompt: promptArgument(request),
    prompt_file: request.promptFile,
    // Before the first run a program that makes its own ids has none.
    session: sessionOf(settings) === 'theirs' && !request.resume ? '' : request.session,
  }
  const args = request.args.map((it) => it.replaceAll(/\{(model|prompt|prompt_file|session)\}/g, (_, name: string) => values[name] ?? ''))
  const asked = (name: string) => request.args.some((it) => it.includes(`{${name}}`))
  if (settings.prompt === 'argument' && !asked('prompt')) args.push(promptArgument(request))
  if (settings.prompt === 'file' && !asked('prompt_file')) args.push(request.promptFile)
  return args
}

/** One text, or one object over any number of lines; read when the program has ended. */
function readWhole(settings: ProviderSettings): CliReader {
  let output = ''
  return {
    line(text, stream) {
      if (stream === 'stderr') return []
      if (output.length + text.length < KEPT) output += `${text}\n`
      return settings.output === 'text' ? [{ t: 'text', text: `${text}\n` }] : []
    },
    exited({ code, stderr }) {
      const answer = output.trim()
      if (code !== 0) return failed(stderr.trim() || answer)
      if (settings.output === 'text') return [{ t: 'success', text: answer }]
      const value = parsed(answer)
      if (value === undefined) return [{ t: 'error', class: 'bad_output', problem: `It wrote no JSON: ${problemIn(answer)}` }]
      const events = found(value, settings)
      return events.some((it) => it.t === 'error') ? events : [...events, { t: 'success' }]
    },
  }
}

/** One object a line; the last that says something counts. */
function readLines(settings: ProviderSettings): CliReader {
  let wrong = false
  return {
    line(text, stream) {
      const it = stream === 'stdout' ? objectOf(text) : null
      const events = it ? found(it, settings) : []
      wrong ||= events.some((event) => event.t === 'error')
      return events
    },
    exited({ code, stderr }) {
      if (wrong) return []
      return code === 0 ? [{ t: 'success' }] : failed(stderr.trim())
    },
  }
}

/** What an object says at the paths of the settings. */
function found(value: Json, { result }: ProviderSettings): CliEvent[] {
  const text = (path: string | undefined) => textOf(path === undefined ? undefined : at(value, path))
  const number = (path: string | undefined) => (path === undefined ? 0 : numberAt(value, path))
  const session = text(result?.session)
  const answer = text(result?.text)
  const error = text(result?.error)
  const [input, output, cost] = [number(result?.input_tokens), number(result?.output_tokens), number(result?.cost_usd)]
  return [
    ...(session === '' ? [] : [{ t: 'started' as const, session }]),
    ...(answer === '' ? [] : [{ t: 'text' as const, text: answer, final: true }]),
    ...(input + output + cost === 0
      ? []
      : [{ t: 'usage' as const, scope: 'total' as const, input, output, ...(cost > 0 && { costUsd: cost }) }]),
    ...(error === '' ? [] : failed(error)),
  ]
}

function failed(message: string): CliEvent[] {
  return message === '' ? [] : [{ t: 'error', class: classOf(message), problem: problemIn(message) }]
}

/** What is no text is told as JSON: an error is often an object. */
function textOf(value: Json | undefined): string {
  if (value === undefined || value === null || value === false || value === '') return ''
  if (typeof value === 'string') return value
  return JSON.stringify(value)
}

function parsed(text: string): Fields | undefined {
  try {
    const value = parseJson(text, 'output')
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
