import { describe, expect, it } from 'vitest'
import { CLI_SAMPLES, type CliSample, eventsOf, sampleText } from '../../../test/support/cli-samples.ts'
import { providerSettings } from '../../../test/support/provider.ts'
import { adapterOf } from './adapters.ts'
import { claude } from './claude.ts'
import { type CliEnd, outcomeOf } from './outcome.ts'
import type { CliAdapter, CliEvent } from './port.ts'
import { qwen } from './qwen.ts'

const adapter = (sample: CliSample): CliAdapter => adapterOf(sample.cli, providerSettings({ kind: sample.cli }))

function endOf(sample: CliSample, changed = sample.changed): CliEnd {
  const { exitCode: code, signal, stderr } = sample
  return { code, signal, stderr, stopped: null, write: true, changed }
}

describe('recorded output of CLI agents', () => {
  it.each(CLI_SAMPLES.map((it) => [it.file, it] as const))('%s comes to what happened', (_, sample) => {
    const events = eventsOf(adapter(sample), sample)
    const outcome = outcomeOf(events, endOf(sample))
    const { expected } = sample
    expect({ status: outcome.status, class: outcome.class }).toEqual({ status: expected.status, class: expected.class ?? null })
    expect(outcome.problem === '').toBe(expected.status === 'completed')
    if (expected.usage) expect([outcome.usage?.input, outcome.usage?.output]).toEqual(expected.usage)
    if (expected.text !== undefined) expect(outcome.text).toBe(expected.text)
    if (expected.tools !== undefined) expect(outcome.tools).toBe(expected.tools)
    if (expected.retries !== undefined) expect(events.filter((it) => it.t === 'retry')).toHaveLength(expected.retries)
    if (expected.session === true) expect(outcome.session).toMatch(/^[\w-]{10,}$/)
    expect(outcome.denied).toHaveLength(expected.denied ?? 0)
  })

  it('tells of each call what it was about and how it ended', () => {
    for (const sample of CLI_SAMPLES.filter((it) => it.case === 'ok' && it.cli !== 'cn')) {
      const calls = eventsOf(adapter(sample), sample).filter((it) => it.t === 'tool')
      const begun = calls.filter((it) => it.phase === 'start')
      // Codex does all of it by commands.
      const kinds = sample.cli === 'codex' ? ['execute', 'execute', 'execute'] : ['read', 'edit', 'execute']
      expect(
        begun.map((it) => it.kind),
        sample.file,
      ).toEqual(kinds)
      expect(begun[0]?.target, sample.file).toContain('sum.mjs')
      expect(begun[2]?.target, sample.file).toContain('node test.mjs')
      expect(
        calls.filter((it) => it.phase === 'end').map((it) => it.ok),
        sample.file,
      ).toEqual([true, true, true])
      expect(calls.findLast((it) => it.phase === 'end')?.output, sample.file).toContain('1 passed')
    }
  })

  it('names the files that were not allowed', () => {
    const denied = CLI_SAMPLES.filter((it) => it.case === 'denied').map((it) => outcomeOf(eventsOf(adapter(it), it), endOf(it)).denied)
    expect(denied.map((those) => those.map((it) => it.target))).toEqual([
      ['/repo/sum.mjs', 'node test.mjs'],
      ['/repo/sum.mjs', 'node test.mjs'],
    ])
  })

  it('charges claude for what this process used, not for the session before it', () => {
    const line = (more: string) =>
      `{"type":"result","subtype":"success","is_error":false,"terminal_reason":"completed","result":"ok",${more}}`
    const cost = (more: string) => outcomeOf(claude.reader().line(line(more), 'stdout'), endOf(CLI_SAMPLES[0] as CliSample)).usage?.costUsd
    expect(cost('"total_cost_usd":0.5')).toBe(0.5)
    expect(cost('"total_cost_usd":0.5,"model_usage_since_last_result":{"a":{"costUSD":0.125},"b":{"costUSD":0.0625}}')).toBe(0.1875)
    expect(cost('"total_cost_usd":0.5,"model_usage_since_last_result":{}')).toBeNull()
  })

  it('counts the turns of qwen, since its total has the session before', () => {
    const turn = '{"type":"assistant","message":{"content":[],"usage":{"input_tokens":1003,"output_tokens":50}}}'
    const result = '{"type":"result","is_error":false,"result":"ok","usage":{"input_tokens":5009,"output_tokens":250}}'
    const used = (...lines: string[]) => {
      const reader = qwen.reader()
      return outcomeOf(
        lines.flatMap((it) => reader.line(it, 'stdout')),
        endOf(CLI_SAMPLES[0] as CliSample),
      ).usage
    }
    expect(used(turn, result)).toMatchObject({ input: 1003, output: 50 })
    expect(used(result)).toMatchObject({ input: 5009, output: 250 })
  })

  it('says when to come back, where it was told', () => {
    const told = (file: string) => {
      const sample = CLI_SAMPLES.find((it) => it.file === file) as CliSample
      return outcomeOf(eventsOf(adapter(sample), sample), endOf(sample)).retryAfterMs
    }
    expect([told('opencode.e429.jsonl'), told('gemini.e429-bounded.jsonl'), told('codex.e429.jsonl')]).toEqual([2000, 2000, null])
  })
})

describe('output that is not as it should be', () => {
  const good = CLI_SAMPLES.filter((it) => it.case === 'ok').map((it) => [it.cli, it] as const)

  it.each(good)('%s, cut off after any line: it is not completed, and each call that began has ended', (_, sample) => {
    const lines = sampleText(sample).trimEnd().split('\n')
    for (let kept = 0; kept < lines.length; kept++) {
      const events = eventsOf(adapter(sample), sample, lines.slice(0, kept).join('\n'))
      const outcome = outcomeOf(events, endOf(sample))
      // What follows the last word of success is no part of it.
      const after = events.some((it) => it.t === 'success')
      expect(outcome.status, `${kept} of ${lines.length} lines`).toBe(after ? 'completed' : 'failed')
      expect(after && kept < lines.length - 1, `success after ${kept} of ${lines.length} lines`).toBe(false)
      expect(open(events), `${kept} lines`).toEqual([])
    }
  })

  it.each(good)('%s, cut off in the middle of its last line', (_, sample) => {
    const text = sampleText(sample).trimEnd()
    const events = eventsOf(adapter(sample), sample, text.slice(0, -5))
    expect(outcomeOf(events, endOf(sample)).status).toBe('failed')
  })

  it.each(good)('%s: lines that nobody knows change nothing', (_, sample) => {
    const nonsense = [
      '',
      ' ',
      'warning: something',
      '{',
      '}',
      '[]',
      'null',
      '"text"',
      '{"type":"from a later version","data":{"text":null}}',
      '{"type":null}',
      '{"type":"system","subtype":7}',
      '{"__proto__":{"type":"error"}}',
      '\u0000\uFFFD\u001B[31m',
      `{"type":"from a later version","data":"${'x'.repeat(200_000)}"}`,
      '['.repeat(100_000),
      `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    ]
    const mixed = sampleText(sample)
      .split('\n')
      .flatMap((line) => [...nonsense, line])
    const events = eventsOf(adapter(sample), sample, mixed.join('\n'))
    expect(events).toEqual(eventsOf(adapter(sample), sample))
  })

  it('survives lines of the right type whose fields are of wrong ones', () => {
    for (const [, sample] of good) {
      const reader = adapter(sample).reader()
      const types = new Set([...sampleText(sample).matchAll(/"(?:type|subtype)":\s*"([\w.]+)"/g)].map((it) => it[1]))
      for (const type of types) {
        for (const value of ['null', '7', '"x"', '[]', '[null]', '{}', 'true']) {
          const fields = ['message', 'part', 'item', 'data', 'event', 'error', 'usage', 'stats', 'content', 'tool_call', 'parameters']
          const text = `{"type":"${type}",${fields.map((name) => `"${name}":${value}`).join(',')}}`
          expect(() => reader.line(text, 'stdout'), `${sample.cli}: ${text}`).not.toThrow()
        }
      }
      expect(() => reader.exited({ code: 1, signal: null, stderr: '' })).not.toThrow()
    }
  })
})

function open(events: readonly CliEvent[]): string[] {
  const ids = new Set<string>()
  for (const event of events) {
    if (event.t !== 'tool') continue
    if (event.phase === 'start') ids.add(event.id)
    else ids.delete(event.id)
  }
  return [...ids]
}
