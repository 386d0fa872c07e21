import { describe, expect, it } from 'vitest'
import { cliRequest } from '../../../test/support/cli-agent.ts'
import { providerSettings } from '../../../test/support/provider.ts'
import type { Json } from '../../core/json.ts'
import { commandAdapter } from './command.ts'
import { outcomeOf } from './outcome.ts'
import type { CliRequest } from './port.ts'

function adapter(over: { [key: string]: Json } = {}) {
  return commandAdapter(providerSettings({ kind: 'command', binary: 'aider', ...over }))
}

const request = (args: string[], over: Partial<CliRequest> = {}) =>
  cliRequest({ prompt: 'Fix it.', model: 'm1', endpoint: null, session: 's1', args, ...over })

function outcome(over: { [key: string]: Json }, output: string, end: { code?: number; stderr?: string } = {}) {
  const { code = 0, stderr = '' } = end
  const reader = adapter(over).reader()
  const events = [...output.split('\n').flatMap((it) => reader.line(it, 'stdout')), ...reader.exited({ code, signal: null, stderr })]
  return outcomeOf(events, { code, signal: null, stderr, stopped: null, write: false, changed: false })
}

describe('any other command', () => {
  it('has its program and its arguments from the settings', () => {
    expect(adapter().binary).toBe('aider')
    const made = adapter().command(request(['--model', '{model}', '--in={prompt_file}', '-s', '{session}', '{else}'], { resume: true }))
    expect(made).toMatchObject({ args: ['--model', 'm1', '--in=/home/p.md', '-s', 's1', '{else}'], input: 'Fix it.' })
  })

  it('has its prompt on the input, as an argument or in a file', () => {
    expect(adapter({ prompt: 'argument' }).command(request(['-m']))).toMatchObject({ args: ['-m', 'Fix it.'], input: null })
    expect(adapter({ prompt: 'argument' }).command(request(['-m={prompt}', '-y']))).toMatchObject({ args: ['-m=Fix it.', '-y'] })
    expect(adapter({ prompt: 'file' }).command(request(['-f']))).toMatchObject({ args: ['-f', '/home/p.md'], input: null })
    expect(adapter({ prompt: 'file' }).command(request(['--message-file', '{prompt_file}', '-y'])).args).toEqual([
      '--message-file',
      '/home/p.md',
      '-y',
    ])
  })

  it('does not replace what a value brings along', () => {
    expect(adapter({ prompt: 'argument' }).command(request(['{prompt}'], { prompt: 'say {model}' })).args).toEqual(['say {model}'])
  })

  it('reaches its model by the usual variables, where it has an address', () => {
    expect(adapter().api).toBeNull()
    const it = adapter({ base_url: 'https://models.example.com/v1/' })
    expect(it.api).toMatchObject({ baseUrl: 'https://models.example.com', dialect: 'openai-chat' })
    const made = it.command(request([], { endpoint: { baseUrl: 'http://127.0.0.1:1', key: 'k' } }))
    expect(made).toMatchObject({ env: { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }, secrets: { OPENAI_API_KEY: 'k' } })
    expect(adapter({ base_url: 'https://api.anthropic.com' }).api?.dialect).toBe('anthropic')
  })

  it('goes on with a session only where it is asked to', () => {
    expect(adapter().session).toBe('none')
    expect(adapter({ args: ['--id', '{session}'] }).session).toBe('ours')
    const theirs = adapter({ args: ['--id={session}'], result: { session: 'id' } })
    expect(theirs.session).toBe('theirs')
    expect([false, true].map((resume) => theirs.command(request(['--id={session}'], { resume })).args)).toEqual([['--id='], ['--id=s1']])
  })
})

describe('the result of any other command', () => {
  it('is its text', () => {
    expect(outcome({}, 'All\ndone.\n')).toMatchObject({ status: 'completed', text: 'All\ndone.' })
    expect(outcome({}, '\n')).toMatchObject({ status: 'failed', class: 'refused' })
    expect(outcome({}, 'half', { code: 1, stderr: '429 Too Many Requests' })).toMatchObject({ status: 'failed', class: 'rate_limited' })
    expect(outcome({}, 'Error: invalid api key', { code: 1 })).toMatchObject({ status: 'failed', class: 'auth' })
  })

  const paths = {
    text: 'result.text',
    session: 'id',
    error: 'error',
    input_tokens: 'usage.in',
    output_tokens: 'usage.out',
    cost_usd: 'usage.usd',
  }

  it('is one object', () => {
    const answer = { result: { text: 'Done.' }, id: 's9', error: null, usage: { in: 5, out: 2, usd: 0.1 } }
    expect(outcome({ output: 'json', result: paths }, JSON.stringify(answer, null, 2))).toMatchObject({
      status: 'completed',
      text: 'Done.',
      session: 's9',
      usage: { input: 5, output: 2, costUsd: 0.1 },
    })
    expect(outcome({ output: 'json', result: paths }, '{"error":{"message":"quota exceeded"}}')).toMatchObject({
      status: 'failed',
      class: 'quota',
    })
    expect(outcome({ output: 'json', result: paths }, 'oops')).toMatchObject({ class: 'bad_output', problem: 'It wrote no JSON: oops' })
    expect(outcome({ output: 'json', result: paths }, '[1]')).toMatchObject({ class: 'bad_output' })
  })

  it('is an object a line, the last that says something', () => {
    const lines = [
      '{"id":"s9"}',
      'starting …',
      '{"result":{"text":"Step 1"}}',
      '{"result":{"text":"Done."},"usage":{"in":5}}',
      '{"other":1}',
    ]
    expect(outcome({ output: 'lines', result: paths }, lines.join('\n'))).toMatchObject({
      status: 'completed',
      text: 'Done.',
      session: 's9',
      usage: { input: 5, output: 0 },
    })
    expect(outcome({ output: 'lines', result: paths }, '{"error":"503"}\n{"result":{"text":"ok"}}')).toMatchObject({
      status: 'failed',
      class: 'overloaded',
    })
  })
})
