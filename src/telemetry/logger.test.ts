import { expect, it } from 'vitest'
import { redaction } from '../core/redact.ts'
import { createLogger, type LogLevel } from './logger.ts'

const SECRET = 'sk-planted-0123456789abcdef'

function bench(level: LogLevel = 'info') {
  const lines: string[] = []
  const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) }
  const log = createLogger({ level, clock, redact: redaction([SECRET]).redact, write: (line) => lines.push(line) })
  return { log, lines, read: () => lines.map((it) => JSON.parse(it) as Record<string, unknown>) }
}

it('writes lines of JSON with time, level, message and fields, also those of the part that speaks', () => {
  const { log, lines, read } = bench()
  log.with({ part: 'http' }).info('listening', { port: 7433 })
  expect(read()).toEqual([{ time: '2026-01-02T03:04:05.000Z', level: 'info', message: 'listening', part: 'http', port: 7433 }])
  expect(lines[0]).toMatch(/\}\n$/)
})

it('leaves out what is below its level', () => {
  const { log, read } = bench('warn')
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  expect(read().map((it) => it['message'])).toEqual(['c', 'd'])
})

it('takes secrets out of messages, fields, lists, tables, keys and errors', () => {
  const { log, lines } = bench()
  log.error(`asked with ${SECRET}`, {
    url: `http://x/?k=${SECRET}`,
    list: [SECRET, { deep: encodeURIComponent(SECRET) }],
    [SECRET]: 1,
    base64: Buffer.from(SECRET).toString('base64'),
    error: new Error(`no ${SECRET}`),
  })
  expect(lines.join('')).not.toContain('planted')
  expect(lines.join('')).not.toContain(Buffer.from(SECRET).toString('base64'))
  expect(lines[0]?.match(/\[redacted\]/g)?.length, 'each place is marked').toBeGreaterThanOrEqual(6)
})

it('does nothing to a terminal and begins no line of its own, whatever is told', () => {
  const { log, lines, read } = bench()
  const hostile = '\u001b]52;c;aGk=\u0007\r\n{"level":"info"}\u202e\u0000\u009b31m'
  log.warn(hostile, { path: hostile })
  expect(lines).toHaveLength(1)
  expect(lines[0]?.slice(0, -1)).toMatch(/^[\u0020-\u007e]+$/)
  expect(read()[0]?.['message']).toBe(hostile)
})

it('never throws and keeps the message: circles, depth, getters that throw, large texts, values that JSON does not have', () => {
  const { log, lines, read } = bench()
  const circle: Record<string, unknown> = {}
  circle['me'] = circle
  const trap = Object.defineProperty({}, 'x', { enumerable: true, get: () => assertNever() })
  log.info('circle', circle)
  log.info('trap', { trap })
  log.info('odd', { big: 10n, call: () => 1, none: undefined, text: 'x'.repeat(1_000_000), list: Array.from({ length: 5000 }, () => 'y') })
  expect(read().map((it) => it['message'])).toEqual(['circle', 'trap', 'odd'])
  expect(read()[1]?.['problem']).toBe('read')
  expect(read()[2]?.['big']).toBe('10')
  expect(lines[2]?.length, 'a line stays of a readable size').toBeLessThan(10_000)
})

it('does not let fields pass for the time, the level or the message', () => {
  const { log, read } = bench()
  log.error('failed', { level: 'info', message: 'all is well', time: 'never' })
  expect(read()).toEqual([{ time: '2026-01-02T03:04:05.000Z', level: 'error', message: 'failed' }])
})

function assertNever(): never {
  throw new Error('read')
}
