import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { settingsSchema } from '../../core/settings.ts'
import type { Breach, Launch, StartedProgram } from '../../process/port.ts'
import { limitsFrom } from '../limits/limits.ts'
import type { RunLimits, Tree } from '../limits/port.ts'
import { launchSandboxed } from './launch.ts'

const BREACH: Breach = { limit: 'memory', allowed: 10, peak: 12, unit: 'MB', setting: 'sandbox.limits.memory_mb' }
const USED = { memoryBytes: 5, processes: 2, cpuSeconds: 1 }
// A number that no process of this machine has.
const NOBODY = 2 ** 22 + 1

interface Scene {
  launch: Launch
  watched: Tree[]
  exits: unknown[]
}

async function launched(
  changes: Partial<RunLimits> = {},
  filter = join(temporaryFolder(), 'filter'),
  env: Record<string, string> = { A: 'b' },
): Promise<Scene> {
  writeFileSync(filter, '')
  const watched: Tree[] = []
  const exits: unknown[] = []
  const limits = {
    limits: limitsFrom(settingsSchema.parse({}).sandbox.limits, 'run'),
    outer: () => Promise.resolve(['into-group']),
    inner: () => ['with-limits'],
    watch: (tree: Tree) => {
      watched.push(tree)
      return {
        end: (exit: unknown) => {
          exits.push(exit)
          return Promise.resolve({ usage: USED, breach: BREACH })
        },
      }
    },
    ...changes,
  } as unknown as RunLimits
  const view = {
    ...{ readable: [], kernel: [], masked: [], writable: [], shown: new Map(), links: new Map(), guarded: new Map(), emptied: [] },
    ...{ cwd: '/tree', limits: limits.limits },
  }
  const launch = await launchSandboxed({ bwrap: '/usr/bin/bwrap', filter, view, limits, env, argv: ['make', '-j', '2'] })
  return { launch, watched, exits }
}

/** A process that has been started, with the descriptors that tell of the sandbox. */
function child(): { program: StartedProgram; info: PassThrough; begun: PassThrough } {
  const [info, begun] = [new PassThrough(), new PassThrough()]
  const stdio = [null, null, null, info, null, begun] as unknown as StartedProgram['stdio']
  return { program: { pid: 1, stdio, exitCode: 3, signalCode: null }, info, begun }
}

const read = () => new Promise((resolve) => setImmediate(resolve))

describe('a program on its way into a sandbox', () => {
  it('has the group outside, bwrap, and its own limits inside', async () => {
    const { launch } = await launched()
    expect(launch.argv.slice(0, 2)).toEqual(['into-group', '/usr/bin/bwrap'])
    const [inner = ''] = launch.argv.slice(launch.argv.indexOf('--') + 1)
    expect(inner).toBe('with-limits')
    expect(launch.argv.slice(-4)).toEqual(['/tree', 'make', '-j', '2'])
    expect(launch.diesWhole).toBe(true)
    await launch.end()
  })

  it('has what its loader is told set within the sandbox alone', async () => {
    const { launch } = await launched({}, undefined, { A: 'b', LD_PRELOAD: '/tree/x.so', GLIBC_TUNABLES: 't' })
    expect(launch.env).toEqual({ A: 'b' })
    expect(launch.argv.join(' ')).toContain(' --setenv LD_PRELOAD /tree/x.so --setenv GLIBC_TUNABLES t -- with-limits')
    await launch.end()
  })

  it('is watched from the moment that bwrap says its number, said in pieces or not', async () => {
    const { launch, watched, exits } = await launched()
    const { program, info, begun } = child()
    launch.started(program, () => undefined)
    info.write(`{\n    "child-`)
    await read()
    expect(watched).toEqual([])
    info.write(`pid": ${NOBODY}\n}\n`)
    begun.write('.')
    await read()
    expect(watched).toEqual([{ kind: 'namespace', pid: NOBODY }])
    expect(await launch.end()).toEqual({ usage: USED, breach: BREACH, failure: null })
    expect(exits).toEqual([{ code: 3, signal: null }])
  })

  it('that did not begin is the failure of the sandbox, not of the program', async () => {
    const { launch } = await launched()
    const { program, info, begun } = child()
    launch.started(program, () => undefined)
    for (const it of [info, begun]) it.end().resume()
    expect(await launch.end()).toMatchObject({ breach: null, failure: 'the sandbox did not come up' })
  })

  it('that was over before its sandbox was heard has begun all the same', async () => {
    const { launch, watched } = await launched()
    const { program, info, begun } = child()
    launch.started(program, () => undefined)
    const end = launch.end()
    await read()
    info.end(`{"child-pid": ${NOBODY}}`)
    begun.end('.')
    expect(await end).toMatchObject({ failure: null })
    expect(watched).toEqual([{ kind: 'namespace', pid: NOBODY }])
  })

  it('that a limit has ended before it began names the limit', async () => {
    const { launch } = await launched()
    const { program, info, begun } = child()
    launch.started(program, () => undefined)
    info.end(`{"child-pid": ${NOBODY}}`)
    begun.end().resume()
    await read()
    const failure = 'the sandbox was ended: it broke the limit of 10 MB for memory with 12 MB (sandbox.limits.memory_mb)'
    expect(await launch.end()).toMatchObject({ breach: BREACH, failure })
  })

  it('is not launched without its filter', async () => {
    const filter = join(temporaryFolder(), 'missing/filter')
    const view = { readable: [], kernel: [], masked: [], writable: [], shown: new Map(), links: new Map(), guarded: new Map(), emptied: [] }
    const limits = { limits: { tmpBytes: 1, sharedMemoryBytes: 1 } } as RunLimits
    const launch = launchSandboxed({
      bwrap: '/usr/bin/bwrap',
      filter,
      view: { ...view, cwd: '/', limits: limits.limits },
      limits,
      env: {},
      argv: ['make'],
    })
    await expect(launch).rejects.toMatchObject({ code: 'sandbox_failed', message: expect.stringContaining('ENOENT') as string })
  })

  it('is not launched without its control group', async () => {
    await expect(launched({ outer: () => Promise.reject(new Error('no group')) })).rejects.toThrow('no group')
  })
})
