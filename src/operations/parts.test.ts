import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { localUser } from '../core/actor.ts'
import { redactAll } from '../core/redact.ts'
import { settingsSchema } from '../core/settings.ts'
import type { Context } from './context.ts'
import { initFile } from './init-file.ts'
import { invoke, open } from './invoke.ts'
import { mergeStreams } from './merge.ts'
import { operation, stream } from './operation.ts'
import { createQueue } from './queue.ts'
import { createSecrets } from './secrets.ts'
import { OPERATIONS, STREAMS } from './table.ts'

const context = { secrets: createSecrets({}), caller: localUser('anna') } as Context
const { signal } = new AbortController()

const double = operation({
  name: 'numbers.double',
  route: 'POST /api/v1/numbers/double',
  summary: 'Doubles.',
  permission: 'system:read',
  effect: 'read',
  input: z.object({ value: z.int().min(1), unit: z.enum(['a', 'b']).default('a') }),
  output: z.object({ doubled: z.number().max(100) }),
  handler: (_context, input) => Promise.resolve({ doubled: input.value * 2 }),
})

describe('invoke', () => {
  it('reads the input, calls, checks the output', async () => {
    expect(await invoke(double, context, { value: 2 }, signal)).toEqual({ doubled: 4 })
  })

  it.each<[unknown, string]>([
    [{ valu: 2 }, 'numbers.double takes no "valu"; did you mean "value"?'],
    [{ value: 1, zzz: 1 }, 'numbers.double takes no "zzz"; it takes: value, unit'],
    [{}, 'numbers.double: value: is missing'],
    [{ value: 'x' }, 'numbers.double: value: must be a number'],
    [{ value: 0 }, 'numbers.double: value: must be at least 1'],
    [{ value: 1, unit: 'c' }, 'numbers.double: unit: allowed: a, b'],
    [null, 'numbers.double: value: is missing'],
  ])('refuses %j', async (input, sentence) => {
    await expect(invoke(double, context, input, signal)).rejects.toThrow(sentence)
  })

  it('does not pass on an answer that breaks its own schema', async () => {
    await expect(invoke(double, context, { value: 70 }, signal)).rejects.toThrow('numbers.double answered wrongly at "doubled"')
  })

  it.each<[object, string]>([
    [{ errcode: 13 }, 'The store cannot be used: it is full.'],
    [{ errcode: 8 + (3 << 8) }, 'The store cannot be used: it is full.'],
    [{ code: 'ENOSPC' }, 'The machine refused it: it is full.'],
  ])('tells what the machine refuses as that, not as a defect: %j', async (about, message) => {
    const full = { ...double, handler: () => Promise.reject(Object.assign(new Error('it is full'), about)) }
    await expect(invoke(full, context, { value: 2 }, signal)).rejects.toMatchObject({ code: 'environment', message })
    const mistake = { ...double, handler: () => Promise.reject(new TypeError('x is not a function')) }
    await expect(invoke(mistake, context, { value: 2 }, signal)).rejects.toBeInstanceOf(TypeError)
  })

  it("refuses a stream's input before its first event", () => {
    const count = stream({
      name: 'numbers.count',
      route: 'POST /api/v1/numbers/count',
      summary: 'Counts.',
      permission: 'system:read',
      effect: 'read',
      input: z.object({ to: z.int() }),
      events: z.int(),
      async *handler(_context, input) {
        for (let at = 1; at <= input.to; at++) yield at
      },
    })
    expect(() => open(count, context, { too: 3 }, signal)).toThrow('numbers.count takes no "too"; did you mean "to"?')
  })
})

describe('the table', () => {
  it.each(Object.entries({ ...OPERATIONS, ...STREAMS }))('%s is named as it is found, and says what it does', (name, it) => {
    expect(it.name).toBe(name)
    expect(name).toMatch(/^[a-z]+\.[a-z]+$/)
    expect(it.summary).toMatch(/^[A-Z].*\.$/)
    expect(it.permission).toMatch(/^[a-z]+:(?:read|write|admin)$/)
    if (it.effect === 'read') expect(it.permission).toMatch(/:read$/)
  })
})

async function* from(...items: number[]) {
  yield* items
}

async function* failing() {
  yield 1
  throw new Error('broken')
}

describe('streams', () => {
  it('merges what comes, ends when all have ended', async () => {
    const seen: number[] = []
    for await (const it of mergeStreams([from(1, 2), from(3), from()], () => undefined)) seen.push(it)
    expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 3])
  })

  it('stops the others when one fails, or the reader leaves', async () => {
    let stopped = 0
    const stop = () => void (stopped += 1)
    const read = async () => {
      for await (const it of mergeStreams([failing(), from(2, 3, 4)], stop)) expect(it).toBeGreaterThan(0)
    }
    await expect(read()).rejects.toThrow('broken')
    for await (const it of mergeStreams([from(1, 2)], stop)) if (it === 1) break
    expect(stopped).toBe(2)
  })

  it('gives what was pushed, in order, until the end', async () => {
    const queue = createQueue<number>()
    queue.push(1)
    setTimeout(() => {
      queue.push(2)
      queue.end()
    }, 5)
    const seen: number[] = []
    for await (const it of queue.items()) seen.push(it)
    expect(seen).toEqual([1, 2])
  })
})

describe('secrets', () => {
  it('knows the values of telling variables at once, others when they are learnt', () => {
    const secrets = createSecrets({ MY_API_KEY: 'abcdefgh-1', GIT_AUTHOR_NAME: 'Ada Lovelace', SHORT_KEY: 'abc' })
    expect(secrets.redact('key abcdefgh-1 by Ada Lovelace, abc, other-secret')).toBe('key [redacted] by Ada Lovelace, abc, other-secret')
    secrets.learn(['other-secret'])
    expect(secrets.redact('other-secret abcdefgh-1')).toBe('[redacted] [redacted]')
  })

  it('redacts every text of a value, and leaves the rest', () => {
    expect(redactAll({ a: 'a secret', b: [1, 'secret', null], c: { d: true } }, (text) => text.replaceAll('secret', '*'))).toEqual({
      a: 'a *',
      b: [1, '*', null],
      c: { d: true },
    })
  })
})

describe('the file that init writes', () => {
  const scan = {
    languages: [],
    frameworks: [],
    packageManagers: [],
    tests: { frameworks: [], files: [], layout: '' },
    commands: [],
    files: 0,
    skipped: [],
    durationMs: 0,
  }
  const command = { gate: 'tests', tool: 'x', argv: ['x'] as const, command: 'x', cwd: '.', reason: 'because', needs: null, report: null }

  it('says what to write where nothing was found', () => {
    expect(initFile(scan, null)).toContain(
      '# Nothing here says how the project is built or tested:\n# [gates.tests]\n# command = "make test"',
    )
  })

  it('keeps what the repository says on its line and in its quotes', () => {
    const text = initFile(
      {
        ...scan,
        commands: [
          { ...command, command: 'x "y"', reason: 'a\n[project]\nsetup = ["rm"]' },
          { ...command, cwd: 'web' },
        ],
      },
      'main',
    )
    expect(text).toContain('# a [project] setup = ["rm"]\n# [gates.tests]\n# command = "x \\"y\\""')
    expect(text).toContain('#   also: x in web (because)')
    expect(text.split('\n').filter((it) => it.startsWith('setup'))).toEqual([])
  })

  it('has agents of this machine that could work at once in force, others as examples', () => {
    const text = initFile(scan, 'main', [
      { kind: 'claude', version: '2.1.3', access: 'login' },
      { kind: 'codex', version: '0.1.2', access: 'key' },
    ])
    const { providers } = settingsSchema.parse(parse(text))
    expect(providers).toMatchObject({
      order: ['claude', 'codex'],
      claude: { kind: 'claude', login: true },
      codex: { kind: 'codex', login: false },
    })
    expect(settingsSchema.parse(parse(initFile(scan, 'main'))).providers).toEqual({ order: [] })
  })

  it('installs by the lockfiles of the root', () => {
    const managers = [
      { name: 'pnpm', manifest: 'package.json', lockfile: 'pnpm-lock.yaml', reason: '' },
      { name: 'uv', manifest: 'pyproject.toml', lockfile: 'uv.lock', reason: '' },
      { name: 'npm', manifest: 'docs/package.json', lockfile: 'docs/package-lock.json', reason: '' },
    ]
    expect(initFile({ ...scan, packageManagers: managers }, 'main')).toContain(
      'setup = ["pnpm install --frozen-lockfile", "uv sync --frozen"]',
    )
  })
})
