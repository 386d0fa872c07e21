import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { runProgram } from '../process/run-program.ts'
import { isBehindLink, openUp, removeFolder } from './folders.ts'

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** By a process that goes into each folder it makes: forty of two hundred characters have no path that could be named whole. */
async function deepen(folder: string): Promise<void> {
  const code = `for (let at = 0; at < 40; at++) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)) }; fs.writeFileSync('f', '')`
  const result = await runProgram({ argv: [process.execPath, '-e', code], cwd: folder, env: {}, timeoutMs: 20_000 })
  expect(result.exitCode, result.stderr).toBe(0)
}

describe('a folder that programs have worked in', () => {
  it('is opened up to its owner; a link in its place or in it opens nothing', async () => {
    const [folder, victim] = [temporaryFolder(), temporaryFolder()]
    mkdirSync(join(victim, 'below'))
    for (const it of [join(victim, 'below'), victim]) chmodSync(it, 0o755)
    mkdirSync(join(folder, 'closed'), { mode: 0o500 })
    symlinkSync(victim, join(folder, 'link'))
    await openUp(folder, { files: true })
    await openUp(join(folder, 'link'), { files: true })
    expect(modeOf(join(folder, 'closed'))).toBe('700')
    expect([modeOf(victim), modeOf(join(victim, 'below'))]).toEqual(['755', '755'])
  })

  it('is removed also where its paths are longer than the system takes', async () => {
    const folder = join(temporaryFolder(), 'f')
    mkdirSync(folder)
    await deepen(folder)
    await removeFolder(folder)
    expect(existsSync(folder)).toBe(false)
  })

  it('has links found on the way to a path, not at its end', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'a/b'), { recursive: true })
    symlinkSync('a', join(folder, 'l'))
    symlinkSync('b', join(folder, 'a/m'))
    const found = await Promise.all(['a/b/c', 'a/m', 'a/new/c', 'c', 'l/b', 'a/m/c'].map((it) => isBehindLink(folder, it)))
    expect(found).toEqual([false, false, false, false, true, true])
  })
})
