import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ProgramSpec } from './port.ts'
import { runProgram, startThrough } from './run-program.ts'
import { createStarter, type Starter } from './starter.ts'

const PLAIN = { cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 20_000, trusted: true }
const script = (line: string, more: Partial<ProgramSpec> = {}): ProgramSpec => ({ argv: ['/bin/sh', '-c', line], ...PLAIN, ...more })

function starterHere(): Starter {
  const starter = createStarter()
  onTestFinished(() => starter.close())
  return starter
}

function children(): number[] {
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .map(Number)
    .filter((pid) => statOf(pid).startsWith(`${process.pid} `) && commandOf(pid).includes('starter-process'))
}

/** What follows the name of a process: its parent is first. */
function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.slice(2) ?? ''
  } catch {
    return ''
  }
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
}

async function until(fits: () => boolean): Promise<void> {
  while (!fits()) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('programs that another process starts', () => {
  it('get the same and give the same as those that this one starts', async () => {
    const starter = starterHere()
    const spec = script('cat; echo "$NAME" >&2; exit 3', { input: new Uint8Array([104, 105]), env: { ...PLAIN.env, NAME: 'ada' } })
    const [there, here] = [await starter.run(spec), await runProgram(spec)]
    expect(there).toMatchObject({
      ended: 'exited',
      exitCode: 3,
      stdout: 'hi',
      stderr: 'ada\n',
      problem: '"cat; echo "$NAME" >&2; exit 3" ended with exit code 3.',
    })
    expect({ ...there, durationMs: 0 }).toEqual({ ...here, durationMs: 0 })
  })

  it('have no key of this process in their starter', async () => {
    process.env['STARTER_TEST_API_KEY'] = 'k-123'
    onTestFinished(() => void delete process.env['STARTER_TEST_API_KEY'])
    const starter = starterHere()
    const { stdout } = await starter.run(script('tr "\\0" "\\n" < /proc/$PPID/environ'))
    expect(stdout).toContain('PATH=')
    expect(stdout).not.toContain('STARTER_TEST_API_KEY')
  })

  it('are ended when the work is stopped, before and while they run', async () => {
    const starter = starterHere()
    expect(await starter.run(script('sleep 20', { signal: AbortSignal.abort() }))).toMatchObject({ ended: 'aborted' })
    const over = new AbortController()
    const running = starter.run(script('sleep 20', { signal: over.signal }))
    setTimeout(() => over.abort(), 50)
    expect(await running).toMatchObject({ ended: 'aborted', problem: '"sleep 20" was ended because the work was stopped.' })
  })

  it.runIf(process.platform === 'linux')('are lost, and said to be, when their starter is killed; the next one has another', async () => {
    const starter = starterHere()
    const before = children()
    const running = starter.run(script('sleep 20'))
    await until(() => children().length > before.length)
    for (const pid of children().filter((it) => !before.includes(it))) process.kill(pid, 'SIGKILL')
    expect(await running).toMatchObject({ ended: 'signalled', problem: '"sleep 20" was lost: the process that had started it was killed.' })
    expect(await starter.run(script('echo again'))).toMatchObject({ exitCode: 0, stdout: 'again\n' })
  })

  it('are lost when their starter could not be started, and waited for by nobody', async () => {
    const none = (): ChildProcess => fork('none', [], { execPath: '/no/such/program', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    const starter = createStarter(none)
    onTestFinished(() => starter.close())
    for (let count = 0; count < 2; count++) {
      expect(await starter.run(script('true'))).toMatchObject({ ended: 'signalled', problem: expect.stringContaining('was lost') })
    }
  })

  it.runIf(process.platform === 'linux')('end with it', async () => {
    const starter = createStarter()
    const before = children()
    const own = () => children().filter((it) => !before.includes(it))
    const running = starter.run(script('sleep 20'))
    await until(() => own().length === 1)
    starter.close()
    expect((await running).ended).toBe('signalled')
    await until(() => own().length === 0)
  })

  it('are started there only when they are our own and nothing but data goes to them', async () => {
    const asked: string[] = []
    const result = await runProgram(script('true'))
    startThrough({ run: async (spec) => (asked.push(spec.argv.at(-1) ?? ''), result), close: () => undefined })
    onTestFinished(() => startThrough(null))
    await runProgram(script('echo ours'))
    await runProgram(script('echo theirs', { trusted: false }))
    await runProgram(script('echo watched', { onOutput: () => undefined }))
    expect((await runProgram(script('echo stopped', { signal: AbortSignal.abort() }))).problem).toContain('was not started')
    expect(asked).toEqual(['echo ours'])
  })
})
