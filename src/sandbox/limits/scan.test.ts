import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chdir, cwd } from 'node:process'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import { runProgram } from '../../process/run-program.ts'
import { createGrowth } from './growth.ts'
import { scanFolder } from './scan.ts'
import { scanThread } from './scan-thread.ts'

const MB = 2 ** 20

describe('a folder is looked through', () => {
  it('counting blocks, entries, and files of one size; links are not followed, names of one file count once', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'large'), Buffer.alloc(MB))
    writeFiles(folder, { 'a/small': 'x', 'a/b/c': 'y' })
    linkSync(join(folder, 'large'), join(folder, 'again'))
    symlinkSync('/usr', join(folder, 'elsewhere'))
    const usage = scanFolder(folder, MB)
    expect(usage).toMatchObject({ entries: 7, ofSize: 1 })
    expect(usage?.bytes).toBeGreaterThanOrEqual(MB)
    expect(usage?.bytes).toBeLessThan(MB + 64 * 1024)
  })

  it('counting holes for nothing', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'sparse'), '')
    rmSync(join(folder, 'sparse'))
    expect(scanFolder(folder, 0)).toEqual({ bytes: 0, entries: 0, ofSize: 0 })
    expect(scanFolder(join(folder, 'none'), 0)).toBeNull()
  })

  it.skipIf(process.platform !== 'linux')('also below a path that is too long to name', () => {
    const folder = temporaryFolder()
    const before = cwd()
    onTestFinished(() => chdir(before))
    const name = 'd'.repeat(200)
    chdir(folder)
    for (let depth = 0; depth < 40; depth++) {
      mkdirSync(name)
      chdir(name)
    }
    writeFileSync('hidden', '12345')
    chdir(before)
    expect(scanFolder(folder, 5)).toMatchObject({ entries: 41, ofSize: 1 })
  })
})

describe('growth', () => {
  const limits = { diskBytes: 4 * MB, files: 100, fileBytes: MB }

  async function grown(folder: string, more: Partial<typeof limits> = {}) {
    const growth = createGrowth({ ...limits, ...more }, scanThread())
    growth.add([folder])
    await expect.poll(() => growth.grown().at).toBeGreaterThan(0)
    return growth
  }

  it('is what was added since the folder was first named', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'before'), Buffer.alloc(8 * MB))
    const growth = await grown(folder)
    expect(growth.grown()).toMatchObject({ bytes: 0, entries: 0 })
    writeFileSync(join(folder, 'more'), Buffer.alloc(5 * MB))
    await growth.settle(Number.POSITIVE_INFINITY)
    expect(growth.grown().entries).toBe(1)
    expect(growth.grown().bytes).toBeGreaterThanOrEqual(5 * MB)
  })

  it('is not looked at while nothing can be wrong', async () => {
    const folder = temporaryFolder()
    const growth = await grown(folder, { diskBytes: 2 ** 50, files: 2 ** 40 })
    writeFiles(folder, { a: 'b' })
    const { at } = growth.grown()
    await growth.settle(Number.POSITIVE_INFINITY)
    expect(growth.grown().at).toBe(at)
  })

  it('begins anew after what reeve itself has put there', async () => {
    const folder = temporaryFolder()
    const growth = await grown(folder)
    writeFileSync(join(folder, 'packages'), Buffer.alloc(6 * MB))
    await growth.settle(Number.POSITIVE_INFINITY)
    expect(growth.grown().bytes).toBeGreaterThan(limits.diskBytes)
    const { at } = growth.grown()
    growth.rebase()
    await expect.poll(() => growth.grown().at).toBeGreaterThan(at)
    expect(growth.grown()).toMatchObject({ bytes: 0, entries: 0 })
  })
})

describe('a process that does nothing but wait for a scan', () => {
  it('gets its answer, and ends by itself afterwards', async () => {
    const thread = new URL('./scan-thread.ts', import.meta.url).href
    const code = `const { scanThread } = await import('${thread}'); const [usage] = await scanThread()(['/usr/include'], 0); console.log(usage === null)`
    const argv = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code] as const
    const ended = await runProgram({ argv, cwd: '/', env: { PATH: '/usr/bin:/bin' }, timeoutMs: 20_000 })
    expect([ended.exitCode, ended.stdout, ended.stderr]).toEqual([0, expect.stringMatching(/^(?:true|false)\n$/), ''])
  })
})
