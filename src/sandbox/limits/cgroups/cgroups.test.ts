import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../../test/support/folder.ts'
import { settingsSchema } from '../../../core/settings.ts'
import { runProgram } from '../../../process/run-program.ts'
import { limitsFrom } from '../limits.ts'
import { enrolWords } from './enrol.ts'
import { findCgroups } from './find.ts'
import { groupFolders } from './mounts.ts'
import { version2 } from './version2.ts'

const limits = limitsFrom(
  settingsSchema.parse({ sandbox: { limits: { memory_mb: 100, processes: 50, cpu_percent: 150 } } }).sandbox.limits,
  'run',
)

describe('where a process stands', () => {
  it('is told by its mounts, version 1', () => {
    const groups = '4:memory:/job/1\n1:cpu,cpuacct:/\n0::/\n'
    const mounts = [
      '30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
      '31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
      '32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw',
    ].join('\n')
    const found = groupFolders(groups, mounts)
    expect([found.get('memory'), found.get('cpu'), found.get('')]).toEqual([
      '/sys/fs/cgroup/memory/job/1',
      '/sys/fs/cgroup/cpu,cpuacct',
      '/sys/fs/cgroup/unified',
    ])
  })

  it('is told by its mounts, in a container that sees only its own part, and not when that is another one', () => {
    const mount = (root: string) => `40 35 0:30 ${root} /sys/fs/cgroup rw - cgroup2 cgroup rw`
    expect(groupFolders('0::/docker/abc/x\n', mount('/docker/abc')).get('')).toBe('/sys/fs/cgroup/x')
    expect(groupFolders('0::/user.slice\n', mount('/docker/abc')).size).toBe(0)
  })
})

function run(...argv: [string, ...string[]]) {
  return runProgram({ argv, cwd: '/', env: { PATH: '/usr/bin:/bin' }, timeoutMs: 20_000 })
}

/** A folder with the files that the kernel would put there. */
function fakeGroup(files: Record<string, string>): string {
  const folder = temporaryFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

// What a kernel does with these files cannot be seen here: only that the right ones are written.
describe('version 2', () => {
  const name = () => 'reeve-0-0-0-1'

  it('is not used where memory and processes are not handed on', async () => {
    const own = fakeGroup({ 'cgroup.controllers': 'cpu\n', 'cgroup.subtree_control': '\n', 'cgroup.procs': `${process.pid}\n` })
    expect(await version2(new Map([['', own]]), name)).toBeNull()
  })

  it('is not changed where other processes are in the group', async () => {
    const own = fakeGroup({
      'cgroup.controllers': 'cpu memory pids\n',
      'cgroup.subtree_control': '\n',
      'cgroup.procs': `${process.pid}\n1\n`,
    })
    expect(await version2(new Map([['', own]]), name)).toBeNull()
    expect(readdirSync(own)).toHaveLength(3)
  })

  it('is made to be used where this process is alone: it goes one level down first', async () => {
    const own = fakeGroup({ 'cgroup.controllers': 'cpu memory pids\n', 'cgroup.subtree_control': '\n', 'cgroup.procs': `${process.pid}\n` })
    expect((await version2(new Map([['', own]]), name))?.version).toBe(2)
    expect(readFileSync(join(own, name(), 'cgroup.procs'), 'utf8')).toBe(`${process.pid}\n`)
    expect(readFileSync(join(own, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +pids\n')
  })

  it('is used where they are handed on, and told by its own counts', async () => {
    const own = fakeGroup({ 'cgroup.controllers': 'cpu memory pids\n', 'cgroup.subtree_control': 'cpu memory pids\n', 'cgroup.procs': '' })
    const home = await version2(new Map([['', own]]), name)
    expect(home).toMatchObject({ version: 2, holds: { memory: true, processes: true, cpu: true } })
    const group = await home?.group('r1', limits)
    const folder = join(own, name())
    expect(group?.words.slice(-2)).toEqual(['1', folder])
    expect(Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8').trim()]))).toEqual({
      'memory.max': String(100 * 2 ** 20),
      'memory.swap.max': '0',
      'memory.oom.group': '1',
      'pids.max': '58',
      'cpu.max': '150000 100000',
    })
    for (const [file, text] of Object.entries({
      'memory.events': 'low 0\noom 3\noom_kill 2\n',
      'memory.peak': '104857600\n',
      'pids.events': 'max 4\n',
    })) {
      writeFileSync(join(folder, file), text)
    }
    expect(await group?.count()).toEqual({ outOfMemory: 2, refused: 4, memoryPeakBytes: 104_857_600 })
  })
})

describe('entering groups', () => {
  it('comes before the program, in all of them, with its arguments as they are', async () => {
    const folders = [temporaryFolder(), temporaryFolder()]
    const { stdout } = await run('env', ...enrolWords(folders), '/bin/sh', '-c', 'echo "$$|$1|$#"', 'sh', 'a  b', '*')
    const [pid] = stdout.split('|')
    expect(stdout).toBe(`${pid}|a  b|2\n`)
    expect(folders.map((it) => readFileSync(join(it, 'cgroup.procs'), 'utf8'))).toEqual([`${pid}\n`, `${pid}\n`])
  })

  it('fails when it is refused: nothing runs outside of them', async () => {
    const { stdout, exitCode } = await run('env', ...enrolWords(['/nonexistent']), '/bin/echo', 'ran')
    expect(stdout).toBe('')
    expect(exitCode).not.toBe(0)
  })
})

const home = await findCgroups()

describe('version 1', () => {
  it.skipIf(home?.version !== 1)('has the limits, counts what it refuses, and is gone afterwards', async () => {
    const group = await home?.group('r1', limits)
    if (!group) throw new Error('no group')
    const folders = group.words.slice(5)
    const text = (file: string) =>
      folders
        .map((it) => join(it, file))
        .filter(existsSync)
        .map((it) => readFileSync(it, 'utf8').trim())
    expect(text('memory.limit_in_bytes')).toEqual([String(100 * 2 ** 20)])
    expect(text('pids.max')).toEqual(['58'])
    expect(text('cpu.cfs_quota_us')).toEqual(['150000'])
    await run('env', ...group.words, 'sh', '-c', 'i=0; while [ $i -lt 70 ]; do sleep 20 & i=$((i+1)); done')
    expect((await group.count()).refused).toBeGreaterThan(0)
    await group.close()
    expect(folders.filter(existsSync)).toEqual([])
  })
})
