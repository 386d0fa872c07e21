import { describe, expect, it } from 'vitest'
import { settingsSchema } from '../../core/settings.ts'
import { breachOf } from './breaches.ts'
import { limitHolds } from './holds.ts'
import { byPs, secondsOf } from './host-table.ts'
import { limitsFrom } from './limits.ts'
import { ownOf } from './plain-sampler.ts'
import { parseStat } from './proc.ts'
import { cpuCounter } from './program-watch.ts'
import { limitWords } from './words.ts'

const settings = settingsSchema.parse({}).sandbox.limits
const process1 = { parent: 1, group: 0, session: 0, cpuSeconds: 0, threads: 1, rssBytes: 0, started: '1' }
const none = Number.POSITIVE_INFINITY
const hard = { openFiles: none, fileBytes: none, processes: none, cpuSeconds: none }

describe('what a process is read from', () => {
  it('has its fields behind a name that may hold anything', () => {
    const text = '42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 25 25 20 0 3 0 99 1000 12 18446744073709551615'
    expect(parseStat(text, 4096)).toEqual({
      parent: 7,
      group: 42,
      session: 42,
      cpuSeconds: 2.5,
      threads: 3,
      rssBytes: 49_152,
      started: '99',
    })
    expect(parseStat('42 (cut', 4096)).toBeNull()
  })

  it('is ps elsewhere', async () => {
    expect([secondsOf('1:02.50'), secondsOf('01:00:03'), secondsOf('2-00:00:01')]).toEqual([62.5, 3603, 172_801])
    const row = (await byPs()).find((it) => it.pid === process.pid)
    expect(row).toMatchObject({ parent: process.ppid })
    expect(row?.rssBytes).toBeGreaterThan(0)
  })
})

describe('the processes of a plain program', () => {
  const find = (
    rows: { pid: number; parent?: number; group?: number; session?: number; started?: string }[],
    known = new Map<number, string>(),
  ) =>
    ownOf(
      rows.map((row) => ({ ...process1, ...row })),
      { pid: 10, members: known, groups: new Set([10]), found: new Set([90]) },
    ).map((it) => it.pid)

  it('are found by parent, in any order, by group, by session and by mark', () => {
    const rows = [
      { pid: 5, parent: 12 },
      { pid: 10 },
      { pid: 11, parent: 10, group: 10 },
      { pid: 12, parent: 11 },
      { pid: 20, group: 10 },
      { pid: 21, session: 10 },
      { pid: 90 },
      { pid: 99, group: 99 },
    ]
    expect(find(rows).toSorted((a, b) => a - b)).toEqual([5, 10, 11, 12, 20, 21, 90])
  })

  it('stay known when their parent is gone, but not when the number is another one by now', () => {
    expect(find([{ pid: 30, started: '7' }], new Map([[30, '7']]))).toEqual([30])
    expect(find([{ pid: 30, started: '8' }], new Map([[30, '7']]))).toEqual([])
  })
})

describe('processor time', () => {
  it('does not get less when processes end that nobody waits for', () => {
    const count = cpuCounter()
    expect([count(1), count(5), count(2), count(3)]).toEqual([1, 5, 5, 6])
  })
})

describe('a broken limit', () => {
  it('is told in the units of its setting, a little above never as equal', () => {
    const limits = limitsFrom(settings, 'run')
    expect(breachOf(limits, 'memory', limits.memoryBytes + 1)).toEqual({
      limit: 'memory',
      allowed: 4096,
      peak: 4097,
      unit: 'MB',
      setting: 'sandbox.limits.memory_mb',
    })
    expect(breachOf(limits, 'files', 50_001).setting).toBe('sandbox.limits.files')
    expect(breachOf(limitsFrom(settings, 'install'), 'files', 500_001)).toMatchObject({
      allowed: 500_000,
      setting: 'sandbox.limits.install_files',
    })
  })
})

describe('the words in front of a program', () => {
  const limits = limitsFrom(settings, 'run')

  it('set limits per process, and never one that only root could set', () => {
    const tools = { prlimit: '/usr/bin/prlimit', nice: '/usr/bin/nice', hard: { ...hard, openFiles: 1024 } }
    const words = limitWords(limits, tools, { namespace: false })
    expect(words).toContain('--nofile=1024')
    expect(words.join(' '), 'the kernel would count all processes of the user').not.toContain('nproc')
    expect(limitWords(limits, tools, { namespace: true })).toContain('--nproc=1024')
  })

  it('are those of the shell where there is no prlimit', () => {
    const words = limitWords({ ...limits, openFiles: 99 }, { prlimit: null, nice: null, hard }, { namespace: true })
    expect(words).toEqual(['/bin/sh', '-c', 'ulimit -c 0; ulimit -n 99; ulimit -f 4194304; exec "$@"', 'reeve'])
  })
})

describe('the table of limits', () => {
  const tools = { prlimit: '/usr/bin/prlimit', nice: '/usr/bin/nice', hard }
  const grips = (ground: { namespace: boolean; root: boolean; cgroups: boolean }) => {
    const cgroups = { version: 1 as const, holds: { memory: true, processes: true, cpu: true }, group: () => Promise.reject(new Error()) }
    const limits = { cpuPercent: 50 }
    const holds = limitHolds({ ...ground, cgroups: ground.cgroups ? cgroups : null, tools, limits, platform: 'linux' })
    return Object.fromEntries(holds.map((it) => [it.name, it.grip]))
  }

  it('says who holds what', () => {
    expect(grips({ namespace: true, root: true, cgroups: true })).toMatchObject({
      memory: 'kernel',
      processes: 'kernel',
      'processor share': 'kernel',
      'open files': 'per-process',
      'temporary files': 'kernel',
      disk: 'watched',
    })
    expect(grips({ namespace: true, root: false, cgroups: false })).toMatchObject({
      memory: 'watched',
      processes: 'kernel',
      'processor share': 'none',
    })
    expect(grips({ namespace: true, root: true, cgroups: false }).processes, 'the kernel does not count those of root').toBe('watched')
    expect(grips({ namespace: false, root: false, cgroups: false })).toMatchObject({ processes: 'watched', 'temporary files': 'none' })
  })
})
