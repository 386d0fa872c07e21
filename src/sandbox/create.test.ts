import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { itNeeds } from '../../test/support/needs.ts'
import { type Settings, settingsSchema } from '../core/settings.ts'
import { runProgram } from '../process/run-program.ts'
import { createSandbox } from './create.ts'
import type { Place, Sandbox } from './port.ts'

interface Made {
  sandbox: Sandbox
  /** Of the sandbox itself. */
  folder: string
  place: Place
}

async function made(settings: Partial<Settings['sandbox']>, env: Readonly<Record<string, string>> = {}): Promise<Made> {
  const folder = join(temporaryFolder(), 's')
  const tree = temporaryFolder()
  const sandbox = await createSandbox({
    settings: settingsSchema.parse({ sandbox: settings }).sandbox,
    folder,
    env: { PATH: process.env['PATH'], ...env },
    realHome: temporaryFolder('reeve-user-'),
    signal: AbortSignal.timeout(60_000),
  })
  onTestFinished(() => sandbox.close())
  return { sandbox, folder, place: { tree, home: join(tree, 'home') } }
}

describe('how programs are held', () => {
  it('is by nothing where that was asked for, and then, too, packages run no scripts', async () => {
    const { sandbox, place } = await made({ level: 'none' }, { JAVA_HOME: '/java' })
    expect(sandbox.report).toMatchObject({ level: 'none', holds: [], reason: 'No sandbox was asked for.' })
    expect(sandbox.confine(place, { kind: 'run' }).level).toBe('none')
    expect(sandbox.env(place, { kind: 'install', hosts: [] })).toMatchObject({ npm_config_ignore_scripts: 'true', JAVA_HOME: '/java' })
  })

  it('is by limits alone where that was asked for; nothing else is tried', async () => {
    const { sandbox, folder, place } = await made({ level: 'guarded' })
    expect(sandbox.report).toMatchObject({ level: 'guarded', by: 'plain processes', reason: '', improve: null })
    expect(sandbox.report.holds.map((it) => it.about)).toEqual(sandbox.report.holds.map(() => 'limit'))
    expect(sandbox.confine(place, { kind: 'run' }).level).toBe('guarded')
    expect(() => readdirSync(folder)).toThrow('ENOENT')
  })

  it('says why it is no container where one was asked for, whatever holds instead', async () => {
    const { report } = (await made({ level: 'container' })).sandbox
    expect(report.level).not.toBe('container')
    expect(report.reason).toContain('No container image is named')
  })

  itNeeds('bubblewrap')('is by bubblewrap at the lowest limits too: they are not the fault of the sandbox', async () => {
    const lowest = { memory_mb: 64, processes: 32, open_files: 64, files: 100, install_files: 100, cpu_seconds: 1 }
    const ones = { file_size_mb: 1, disk_mb: 1, tmp_mb: 1, shared_memory_mb: 1, output_mb: 1 }
    const { limits } = settingsSchema.parse({ sandbox: { limits: { ...lowest, ...ones } } }).sandbox
    expect((await made({ limits })).sandbox.report).toMatchObject({ level: 'os-sandbox', reason: '' })
  })

  itNeeds('bubblewrap')('is by bubblewrap where it holds, with every attack and every limit in the report', async () => {
    const { sandbox, folder, place } = await made({})
    const { report } = sandbox
    expect(report).toMatchObject({ level: 'os-sandbox', by: expect.stringMatching(/^bubblewrap \d/) as string, reason: '', improve: null })
    expect(report.holds.filter((it) => it.about === 'attack' && it.grip !== 'kernel')).toEqual([])
    expect(report.holds.map((it) => it.about)).toEqual(expect.arrayContaining(['attack', 'limit']))
    expect(readdirSync(folder)).toEqual(['etc'])
    const secret = join(temporaryFolder(), 'secret')
    writeFileSync(secret, 'x')
    const result = await runProgram({
      argv: ['/bin/sh', '-c', 'echo begun; cat "$0"', secret],
      cwd: place.tree,
      env: sandbox.env(place, { kind: 'run' }),
      confinement: sandbox.confine(place, { kind: 'run' }),
      timeoutMs: 60_000,
    })
    expect(result).toMatchObject({ stdout: 'begun\n', stderr: expect.stringContaining('No such file') as string })
  })

  itNeeds('bubblewrap')('is not decided when it was stopped meanwhile', async () => {
    const request = {
      settings: settingsSchema.parse({}).sandbox,
      folder: join(temporaryFolder(), 's'),
      env: { PATH: process.env['PATH'] },
      realHome: temporaryFolder('reeve-user-'),
    }
    const created = createSandbox({ ...request, signal: AbortSignal.abort(new Error('stopped')) })
    await expect(created).rejects.toThrow('stopped')
  })
})
