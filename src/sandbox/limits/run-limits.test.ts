import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it as plain } from 'vitest'
import { limited } from '../../../test/support/limited.ts'
import { itNeeds } from '../../../test/support/needs.ts'

const it = itNeeds('bubblewrap', '/usr/bin/python3')
const onLinux = plain.skipIf(process.platform !== 'linux')

const HUNDRED = `
import os, time
for i in range(100):
    time.sleep(0.005)
    if os.fork() == 0:
        time.sleep(5)
        os._exit(0)
time.sleep(5)`
const FOUR_TIMES_60_MB = `
import os, time
for i in range(4):
    if os.fork() == 0:
        block = bytearray(60 << 20)
        time.sleep(5)
        os._exit(0)
time.sleep(5)`
/** The parent is gone before anybody looks. */
const ORPHAN = `
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        block = bytearray(200 << 20)
        time.sleep(8)
    os._exit(0)
time.sleep(8)`

// As an ordinary user has it on most machines, and root where control groups may not be made.
describe('without control groups', () => {
  const kinds = [
    { name: 'in a sandbox', plain: false },
    { name: 'as plain processes', plain: true },
  ]
  for (const kind of kinds) {
    const its = kind.plain ? itNeeds('/usr/bin/python3') : it

    its(`counts processes ${kind.name}`, async () => {
      const { python } = await limited({ ...kind, cgroups: false, limits: { processes: 40 } })
      const result = await python(HUNDRED)
      expect(result.problem).toMatch(
        /^"python3" was ended: it broke the limit of 40 for processes with \d+ \(sandbox\.limits\.processes\)\.$/,
      )
      expect(result.usage?.processes).toBeGreaterThan(40)
    })

    its(`sums up memory ${kind.name}`, async () => {
      const { python } = await limited({ ...kind, cgroups: false, limits: { memory_mb: 128 } })
      const result = await python(FOUR_TIMES_60_MB)
      expect(result.problem).toMatch(/it broke the limit of 128 MB for memory with \d+ MB \(sandbox\.limits\.memory_mb\)\.$/)
      expect(result.breach?.peak).toBeGreaterThan(128)
    })

    its(`finds what has lost its parent ${kind.name}`, async () => {
      const { python } = await limited({ ...kind, cgroups: false, limits: { memory_mb: 128 } })
      expect((await python(ORPHAN)).breach?.limit).toBe('memory')
    })
  }

  it('says what a program used', async () => {
    const { python } = await limited({ cgroups: false })
    const result = await python('import time; block = bytearray(50 << 20); time.sleep(0.6)')
    expect(result).toMatchObject({ ended: 'exited', exitCode: 0, breach: null })
    const megabytes = (result.usage?.memoryBytes ?? 0) / 2 ** 20
    expect(megabytes).toBeGreaterThan(50)
    expect(megabytes).toBeLessThan(100)
    expect(result.usage?.processes).toBeGreaterThanOrEqual(1)
  })
})

describe('the programs of a run', () => {
  it('are not ended for what another checkout of the run has filled: the base must be measured when a change breaks a limit', async () => {
    const { shell, beside } = await limited({ limits: { files: 100 } })
    const many = 'i=0; while [ $i -lt 300 ]; do : > file-$i; i=$((i+1)); done; sleep 5'
    expect((await shell(many)).problem).toContain('it broke the limit of 100 for new files')
    expect(await beside('sleep 0.5; echo measured')).toMatchObject({ ended: 'exited', stdout: 'measured\n' })
    expect((await shell('sleep 5')).problem, 'where it is full it stays full').toContain('the limit of 100 for new files')
  })

  it('use memory together, and the one that uses most is ended', async () => {
    const { python, other } = await limited({ limits: { memory_mb: 200 }, cgroups: false })
    const small = python('import time; block = bytearray(80 << 20); time.sleep(2)')
    const large = python('import time; time.sleep(0.5); block = bytearray(150 << 20); time.sleep(5)')
    const elsewhere = other.shell('sleep 1.5; echo fine')
    expect((await large).breach?.limit).toBe('memory')
    expect((await small).ended).toBe('exited')
    expect((await elsewhere).stdout).toBe('fine\n')
  })

  it('do not pay for what was there before', async () => {
    const { shell, tree } = await limited({ limits: { disk_mb: 8 } })
    writeFileSync(join(tree, 'before'), Buffer.alloc(30 * 2 ** 20))
    expect((await shell('sleep 0.5; head -c 1000 /dev/zero > small; sleep 0.5')).ended).toBe('exited')
  })

  onLinux('end as they do without limits when they break none', async () => {
    const { shell } = await limited({ plain: true })
    expect(await shell('exit 7')).toMatchObject({ ended: 'exited', exitCode: 7, breach: null })
    expect(await shell('kill -SEGV $$')).toMatchObject({ ended: 'signalled', signal: 'SIGSEGV', breach: null })
  })

  it('are told the limits of the kernel', async () => {
    const { shell } = await limited({ limits: { open_files: 100, file_size_mb: 3 } })
    const { stdout } = await shell('ulimit -n; ulimit -Hn; ulimit -c; ulimit -f; nice')
    expect(stdout.trim().split('\n')).toEqual(['100', '100', '0', String((3 * 2 ** 20) / 512), '10'])
  })
})
