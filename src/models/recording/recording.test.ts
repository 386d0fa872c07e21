import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { systemClock } from '../../core/clock.ts'
import { redactor } from '../../core/redact.ts'
import type { ModelEvent } from '../port.ts'
import type { AgentExchange, ModelExchange } from './cassette.ts'
import { readCassette } from './cassette.ts'
import { cassetteFile, createRecorder } from './recorder.ts'
import { createReplay } from './replay.ts'

const SECRET = 'a-secret-of-the-team'
const DONE: ModelEvent = {
  type: 'done',
  usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, requests: 1 },
  cost: 1,
  finish: 'stop',
}
const LIMITED: ModelEvent = { type: 'error', class: 'quota', problem: 'Come back at noon.', usage: DONE.usage, cost: 0, retryAt: 9e12 }

function turn(step: string, number: number, text: string, end = DONE): ModelExchange {
  const origin = { run: 'r1', task: 't', step, attempt: 1, role: 'implementer', turn: number }
  const request = { messages: [], tools: [] }
  return { kind: 'model', at: 1, provider: 'a', model: 'm', origin, request, asked: '', events: [{ type: 'text', text }, end] }
}

function program(step: string, trees: AgentExchange['trees'], files: Readonly<Record<string, string>>): AgentExchange {
  const origin = { run: 'r1', task: 't', step, attempt: 1, role: 'implementer' }
  const changed = Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text).toString('base64'), executable: false }))
  return {
    kind: 'agent',
    at: 1,
    provider: 'p',
    model: 'm',
    origin,
    goal: '',
    asked: '',
    events: [],
    result: { status: 'completed' },
    trees,
    files: changed,
  }
}

function recording() {
  const evidenceDir = temporaryFolder()
  const start = () => createRecorder({ evidenceDir, redact: redactor([SECRET]), clock: systemClock })
  const path = cassetteFile(evidenceDir, 'r1')
  return { path, start, read: () => readCassette(path, 'providers.x.file') }
}

const said = (it: ModelExchange | null) => (it?.events[0]?.type === 'text' ? it.events[0].text : null)
const filesOf = (it: AgentExchange | null) =>
  Object.fromEntries((it?.files ?? []).map(({ path, content }) => [path, Buffer.from(content ?? '', 'base64').toString()]))

describe('a recording', () => {
  it('of a process that died while it wrote holds everything before and after that', async () => {
    const { path, start, read } = recording()
    await start().write(turn('plan', 0, 'first'))
    appendFileSync(path, '{"kind":"model","at":1,"prov')
    const second = start()
    await second.write(turn('implement', 0, 'second'))
    await second.write(turn('implement', 1, 'third'))
    appendFileSync(path, '{"kind":"mo')
    const cassette = await read()
    expect(cassette.size).toBe(3)
    expect([
      said(cassette.model({ step: 'plan', turn: 0 })),
      said(cassette.model({ step: 'implement', turn: 0 })),
      said(cassette.model({ step: 'implement', turn: 1 })),
    ]).toEqual(['first', 'second', 'third'])
  })

  it('holds no secret, also not in the files a program wrote, which stay whole', async () => {
    const { path, start, read } = recording()
    const text = `${'x'.repeat(40)} key = ${SECRET} ümlaut ${'y'.repeat(40)}\n`
    await start().write(program('implement', { before: 'a', after: 'b' }, { 'key.txt': text, 'plain.txt': 'ümlaut\n' }))
    const cassette = await read()
    expect(filesOf(cassette.agent({ step: 'implement' }))).toEqual({
      'key.txt': text.replace(SECRET, '[redacted]'),
      'plain.txt': 'ümlaut\n',
    })
    expect(readFileSync(path, 'utf8')).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 20))
  })

  it('answers with the try that came to something, not with the providers that failed before', async () => {
    const { start, read } = recording()
    const recorder = start()
    for (const it of [
      turn('implement', 0, 'by the first'),
      turn('implement', 1, '', LIMITED),
      turn('implement~2', 0, 'by the second'),
      turn('review', 0, 'of the first'),
      program('review~2', { before: 'a', after: 'a' }, {}),
      turn('fix', 0, 'begins'),
      turn('fix', 1, '', LIMITED),
      turn('fix~2', 1, 'goes on'),
    ])
      await recorder.write(it)
    const cassette = await read()
    expect(said(cassette.model({ step: 'implement', turn: 0 }))).toBe('by the second')
    expect(said(cassette.model({ step: 'implement~2', turn: 0 }))).toBe('by the second')
    expect(cassette.model({ step: 'implement~3', turn: 0 })).toBeNull()
    expect(cassette.agent({ step: 'review' })).toMatchObject({ provider: 'p' })
    expect(cassette.agent({ step: 'implement' })).toBeNull()
    expect([0, 1].map((at) => said(cassette.model({ step: 'fix', turn: at })))).toEqual(['begins', 'goes on'])
  })

  it('puts together what a program did before and after a pause, and forgets what was begun anew', async () => {
    const { start, read } = recording()
    const recorder = start()
    for (const it of [
      program('paused', { before: 'a', after: 'b' }, { 'one.txt': '1', 'two.txt': 'half' }),
      program('paused', { before: 'b', after: 'c' }, { 'two.txt': 'whole' }),
      program('anew', { before: 'c', after: 'd' }, { 'bad.txt': '1' }),
      program('anew', { before: 'c', after: 'e' }, { 'good.txt': '1' }),
    ])
      await recorder.write(it)
    const cassette = await read()
    expect(filesOf(cassette.agent({ step: 'paused' }))).toEqual({ 'one.txt': '1', 'two.txt': 'whole' })
    expect(filesOf(cassette.agent({ step: 'anew' }))).toEqual({ 'good.txt': '1' })
  })

  it('that ends with a limit does not park the run that replays it', async () => {
    const { start, read } = recording()
    await start().write(turn('implement', 0, '', LIMITED))
    const provider = createReplay({ name: 'recording', cassette: await read(), tools: true })
    const { signal } = new AbortController()
    const { origin } = turn('implement', 0, '')
    const events = await Array.fromAsync(provider.generate({ messages: [], tools: [], origin, signal }))
    expect(events.at(-1)).toEqual({ type: 'error', class: 'refused', problem: 'Come back at noon.', usage: DONE.usage, cost: 0 })
  })

  it.each([
    '{"kind":"model"}',
    '{"kind":"model","origin":{"step":{},"turn":0},"asked":"","events":[]}',
    '{"kind":"agent","origin":{"step":"x"}}',
  ])('is not made of %s', async (line) => {
    const path = join(temporaryFolder(), 'x.ndjson')
    writeFileSync(path, `${line}\n`)
    await expect(readCassette(path, 'providers.x.file')).rejects.toThrow('is no recording: line 1 is no exchange')
  })

  it('is not made of a device, which has no end', async () => {
    await expect(readCassette('/dev/zero', 'providers.x.file')).rejects.toThrow('"/dev/zero" cannot be read: it is no file')
  })

  it('of a step that ran out of time or money ends it there, with what was done by then', async () => {
    const { start, read } = recording()
    await start().write(turn('implement', 0, 'begins'))
    const provider = createReplay({ name: 'recording', cassette: await read(), tools: true })
    const { signal } = new AbortController()
    const answers = async (step: string, number: number) => {
      const { origin } = turn(step, number, '')
      return (await Array.fromAsync(provider.generate({ messages: [], tools: [], origin, signal }))).map((it) => it.type)
    }
    expect(await answers('implement', 1)).toEqual(['text', 'done'])
    expect(await answers('implement', 2), 'nothing was recorded just before').toEqual(['error'])
    expect(await answers('review', 0)).toEqual(['error'])
  })

  it('is not made of any file', async () => {
    const path = join(temporaryFolder(), 'notes.md')
    writeFileSync(path, '# Notes\n')
    await expect(readCassette(path, 'providers.x.file')).rejects.toThrow('is no recording: it holds no exchange')
    writeFileSync(path, '{"kind":"note"}\n')
    await expect(readCassette(path, 'providers.x.file')).rejects.toThrow('is no recording: line 1 is no exchange')
  })
})
