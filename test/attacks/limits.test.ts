import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import type { ProgramResult } from '../../src/process/port.ts'
import { limited, processesWith } from '../support/limited.ts'
import { itNeeds } from '../support/needs.ts'

const it = itNeeds('bubblewrap')
const itPython = itNeeds('bubblewrap', '/usr/bin/python3')

/** Found again in the command lines of all that a test starts: seconds to sleep that nobody else uses. */
const SLEEP = `86${process.pid}`

/** Makes a thousand processes and no more: what must be stopped with the defence must be harmless without it. */
const THOUSAND = `
import os, time
for i in range(1000):
    time.sleep(0.002)
    if os.fork() == 0:
        time.sleep(5)
        os._exit(0)
time.sleep(5)`
const EIGHT = `
import os, time
for i in range(8):
    if os.fork() == 0:
        block = bytearray(400 << 20)
        time.sleep(5)
        os._exit(0)
time.sleep(5)`
/** Memory that processes share counts once: each of eight has all of it. */
const SHARED = (mb: number) => `
import mmap, os
block = mmap.mmap(-1, ${mb} << 20)
for at in range(0, len(block), 4096): block[at] = 1
for i in range(8):
    if os.fork() == 0:
        sum(block[::4096])
        os._exit(0)
for i in range(8): os.wait()`
/** Gives up after some time, so that without the defence it ends by itself. */
const MANY_FILES = `
import os, time
end = time.time() + 12
for i in range(200000):
    if time.time() > end: break
    if i % 1000 == 0: os.mkdir(f'd{i}')
    open(f'd{i - i % 1000}/f{i}', 'w').close()`

/** Double forks, sessions of their own, trapped signals, an empty environment. */
const STUBBORN = `trap '' TERM HUP; setsid -f env -i sleep ${SLEEP}; (setsid sh -c "trap '' TERM HUP; sleep ${SLEEP} & wait" &); (nohup sleep ${SLEEP} &); sleep ${SLEEP}`
const ABUSES = [
  'bomb() { bomb | bomb & }; bomb; sleep 10',
  'head -c 1200000000 /dev/zero > /tmp/f',
  'head -c 5000000000 /dev/zero > big',
  'yes',
  'while :; do :; done',
  STUBBORN,
]

function ended(result: ProgramResult): string {
  return `${result.ended}: ${result.problem}`
}

/** Control groups that this process has made and not removed. */
function ourGroups(): string[] {
  const name = new RegExp(`^reeve-\\d+-${process.pid}-`)
  return readdirSync('/sys/fs/cgroup', { withFileTypes: true })
    .filter((it) => it.isDirectory())
    .flatMap((it) => readdirSync(join('/sys/fs/cgroup', it.name)))
    .filter((it) => name.test(it))
}

describe('28: what one run uses', () => {
  itPython('28: processes are stopped, and named', async () => {
    const { python } = await limited({ limits: { processes: 256 } })
    const result = await python(THOUSAND)
    expect(ended(result)).toMatch(/^limit: .*it broke the limit of 256 for processes with \d+ \(sandbox\.limits\.processes\)\.$/)
    expect(result.breach?.peak).toBeGreaterThan(256)
  })

  itPython('28: 3 GB of memory are stopped, and named', async () => {
    const { python } = await limited({ limits: { memory_mb: 1024 } })
    const result = await python('import time; block = bytearray(3 << 30); time.sleep(1)')
    expect(ended(result)).toMatch(/^limit: .*it broke the limit of 1024 MB for memory with \d+ MB \(sandbox\.limits\.memory_mb\)\.$/)
    expect(result.usage?.memoryBytes).toBeGreaterThanOrEqual(2 ** 30)
  })

  itPython('28: memory counts for all processes together', async () => {
    const { python } = await limited({ limits: { memory_mb: 1024 } })
    expect(ended(await python(EIGHT))).toMatch(/^limit: .*the limit of 1024 MB for memory with \d+ MB/)
  })

  itPython('28: shared memory counts once, and is stopped when it is too much', async () => {
    const { python } = await limited({ limits: { memory_mb: 1024 } })
    expect(ended(await python(SHARED(400))), '400 MB shared by eight').toBe('exited: ')
    expect(ended(await python(SHARED(2000)))).toMatch(/^limit: .*the limit of 1024 MB for memory with \d+ MB/)
  })

  it('28: 1.2 GB in /tmp and in /dev/shm are stopped, named, and never on the machine', async () => {
    const { shell } = await limited({ limits: { tmp_mb: 256, shared_memory_mb: 64 } })
    const tmp = await shell(`head -c 1200000000 /dev/zero > /tmp/f-${SLEEP}`)
    expect(ended(tmp)).toMatch(/^limit: .*the limit of 256 MB for temporary files with 256 MB \(sandbox\.limits\.tmp_mb\)\.$/)
    const memory = await shell(`head -c 1200000000 /dev/zero > /dev/shm/f-${SLEEP}`)
    expect(ended(memory)).toMatch(/^limit: .*the limit of 64 MB for shared memory with 64 MB \(sandbox\.limits\.shared_memory_mb\)\.$/)
    expect([`/tmp/f-${SLEEP}`, `/dev/shm/f-${SLEEP}`].filter(existsSync)).toEqual([])
  })

  itPython('28: 200,000 files are stopped, and named', async () => {
    const { python, tree } = await limited({ limits: { files: 500 } })
    const result = await python(MANY_FILES)
    expect(ended(result)).toMatch(/^limit: .*the limit of 500 for new files with \d+ \(sandbox\.limits\.files\)\.$/)
    expect(readdirSync(tree).length, 'folders of a thousand files').toBeLessThan(200)
  })

  itPython('28: a file of 5 GB is stopped, and named, whether or not the program minds the signal', async () => {
    const { shell, python } = await limited({ limits: { file_size_mb: 64 } })
    const sentence = /^limit: .*the limit of 64 MB for file size with 64 MB \(sandbox\.limits\.file_size_mb\)\.$/
    expect(ended(await shell('truncate -s 5G big'))).toMatch(sentence)
    expect(ended(await python('f = open("other", "wb")\nfor i in range(200): f.write(bytes(1 << 20))'))).toMatch(sentence)
  })

  it('28: many files within their own limits are stopped by what the disk may grow, over commands', async () => {
    const { shell } = await limited({ limits: { disk_mb: 64 } })
    const write = (name: string) => shell(`head -c 30000000 /dev/zero > ${name}; sleep 0.3`)
    expect(ended(await write('a'))).toBe('exited: ')
    expect(ended(await write('b'))).toBe('exited: ')
    const last = await shell('head -c 30000000 /dev/zero > c; sleep 10')
    expect(ended(last)).toMatch(/^limit: .*the limit of 64 MB for disk with \d+ MB \(sandbox\.limits\.disk_mb\)\.$/)
  })

  it('28: a spinning processor is stopped, and named', async () => {
    const { shell } = await limited({ limits: { cpu_seconds: 1 } })
    const result = await shell('while :; do :; done', { timeoutMs: 20_000 })
    expect(ended(result)).toMatch(/^limit: .*the limit of 1 s for processor time with \d+ s \(sandbox\.limits\.cpu_seconds\)\.$/)
  })

  // Only with a number that the kernel holds: without one it would hit the machine before it is stopped.
  const held = process.getuid?.() !== 0 || existsSync('/sys/fs/cgroup/pids') || existsSync('/sys/fs/cgroup/cgroup.subtree_control')
  it.skipIf(!held)('28: all of it in one run leaves nothing, harms no other run, and costs reeve no memory', async () => {
    const limits = { processes: 256, memory_mb: 1024, tmp_mb: 64, files: 5000, file_size_mb: 128, cpu_seconds: 2, output_mb: 8 }
    const { shell, other } = await limited({ limits })
    const calm = other.shell('until [ -e stop ]; do sleep 0.1; done; echo unharmed')
    await shell('true')
    const before = process.memoryUsage().rss
    const ends = new Map<string, string>()
    for (const line of ABUSES) {
      const result = await shell(line, { timeoutMs: line === STUBBORN ? 1000 : 30_000 })
      ends.set(line, `${result.ended} ${result.breach?.limit}`)
    }
    const grown = process.memoryUsage().rss - before
    writeFileSync(join(other.tree, 'stop'), '')
    expect((await calm).stdout).toBe('unharmed\n')
    expect([...ends.values()]).toEqual([
      'limit processes',
      'limit temporary files',
      'limit file size',
      'flooded output',
      'limit processor time',
      'timeout undefined',
    ])
    expect(processesWith(SLEEP)).toEqual([])
    await expect.poll(ourGroups, { timeout: 20_000 }).toEqual([])
    expect(grown / 2 ** 20, 'MB').toBeLessThan(64)
  })
})
