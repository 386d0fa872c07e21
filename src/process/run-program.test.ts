import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { itNeeds } from '../../test/support/needs.ts'
import type { Confinement, ProgramSpec } from './port.ts'
import { runProgram } from './run-program.ts'
import { sweepRun } from './sweep.ts'
import { unconfined } from './unconfined.ts'

const PATH = process.env['PATH'] ?? '/usr/bin:/bin'

function shell(line: string, more: Partial<ProgramSpec> = {}) {
  return runProgram({ argv: ['/bin/sh', '-c', line], cwd: '/', env: { PATH }, timeoutMs: 20_000, ...more })
}

// A duration nobody else uses marks this test's own sleepers.
let sleepers = 0
function uniqueSleep(): string {
  sleepers += 1
  return `${1_000_000 + process.pid * 100 + sleepers}`
}

function countOf(sleep: string): number {
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1') === `sleep\0${sleep}\0`
      } catch {
        return false
      }
    }).length
}

async function until(check: () => boolean): Promise<boolean> {
  for (let at = 0; at < 200 && !check(); at++) await new Promise((resolve) => setTimeout(resolve, 10))
  return check()
}

const hostile = (sleep: string) =>
  `trap "" TERM; (sleep ${sleep} &); setsid -f sleep ${sleep}; setsid sh -c 'trap "" TERM HUP; sleep ${sleep} & wait' & nohup sleep ${sleep} & wait`

describe('running a program', () => {
  it('tells exit code, output and both streams apart', async () => {
    const result = await shell('echo out; echo err >&2; exit 3')
    expect(result).toMatchObject({ ended: 'exited', exitCode: 3, signal: null, stdout: 'out\n', stderr: 'err\n', dropped: 0 })
    expect(result.problem).toBe('"echo out; echo err >&2; exit 3" ended with exit code 3.')
  })

  it('gives it the environment it was told and nothing else', async () => {
    const result = await runProgram({ argv: ['env'], cwd: '/', env: { PATH, A: 'b' }, timeoutMs: 20_000 })
    const names = result.stdout
      .trim()
      .split('\n')
      .map((it) => it.split('=')[0])
    expect(new Set(names)).toEqual(new Set(['A', 'PATH', 'REEVE_PROC']))
  })

  it('is not started for good when it is stopped while it is being launched', async () => {
    const stop = new AbortController()
    const confinement: Confinement = {
      level: 'none',
      launch: async (program) => {
        stop.abort()
        return await unconfined.launch(program)
      },
    }
    const result = await shell('sleep 15', { signal: stop.signal, confinement })
    expect(result.ended).toBe('aborted')
  })

  it('says when a program was not found, and when its folder is not there', async () => {
    const missing = await runProgram({ argv: ['no-such-program'], cwd: '/', env: { PATH }, timeoutMs: 1000 })
    expect(missing).toMatchObject({ ended: 'not_found', problem: 'The program "no-such-program" was not found.' })
    const nowhere = await shell('true', { cwd: '/no/such/folder' })
    expect(nowhere).toMatchObject({ ended: 'not_started', problem: '"true" was not started: there is no folder "/no/such/folder".' })
  })

  it('refuses a folder that is not absolute', async () => {
    await expect(shell('true', { cwd: 'here' })).rejects.toThrow('The folder "here" to run in is not absolute.')
  })

  it('gives it no input to wait for, or the input it was given', async () => {
    expect((await shell('cat')).stdout).toBe('')
    expect((await shell('cat', { input: 'héllo' })).stdout).toBe('héllo')
  })

  it('does not mind a program that leaves its input unread', async () => {
    const result = await shell('exit 0', { input: new Uint8Array(4_000_000) })
    expect(result).toMatchObject({ ended: 'exited', exitCode: 0 })
  })

  it('ends it at the time limit and says so', async () => {
    const result = await shell('sleep 100', { timeoutMs: 200 })
    expect(result).toMatchObject({ ended: 'timeout', exitCode: null, problem: '"sleep 100" was still running after 200 ms and was ended.' })
    expect(result.durationMs).toBeLessThan(5000)
  })

  it('lets it tidy up after TERM', async () => {
    const result = await shell('trap "echo tidied; exit 0" TERM; while :; do sleep 0.05; done', { timeoutMs: 300 })
    expect(result).toMatchObject({ ended: 'timeout', stdout: 'tidied\n' })
  })

  it('ends it when the work is stopped, also before it began', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 100)
    expect(await shell('sleep 100', { signal: stop.signal })).toMatchObject({ ended: 'aborted', exitCode: null })
    expect(await shell('echo ran', { signal: stop.signal })).toMatchObject({ ended: 'aborted', stdout: '' })
  })

  it('lets its caller exit soon after a program was stopped', async () => {
    const code = `import { runProgram } from ${JSON.stringify(join(import.meta.dirname, 'run-program.ts'))}
      const spec = { argv: ['sleep', '100'], cwd: '/', env: process.env, timeoutMs: 20_000, signal: AbortSignal.timeout(100) }
      const { ended } = await runProgram(spec)
      const stopped = performance.now()
      process.on('exit', () => console.log(ended, performance.now() - stopped < 2000 ? 'soon' : 'late'))`
    const caller = await runProgram({
      argv: [process.execPath, '--input-type=module', '-e', code],
      cwd: '/',
      env: { PATH },
      timeoutMs: 20_000,
    })
    expect(caller.stdout).toBe('aborted soon\n')
  })

  it('does not wait for a child that keeps the output open', async () => {
    const sleep = uniqueSleep()
    const result = await shell(`sleep ${sleep} & echo done`)
    expect(result).toMatchObject({ ended: 'exited', exitCode: 0, stdout: 'done\n' })
    expect(result.durationMs).toBeLessThan(5000)
  })

  it('tells output as it comes, characters whole', async () => {
    const seen: string[] = []
    await shell(String.raw`printf '\303'; sleep 0.1; printf '\244'`, { onOutput: ({ text }) => seen.push(text) })
    expect(seen.join('')).toBe('ä')
  })
})

describe('output without bounds', () => {
  it('keeps head and tail of 300 MB in bounded memory', async () => {
    const before = process.memoryUsage().rss
    const result = await shell('echo first; head -c 300000000 /dev/zero; echo last', { floodBytes: 1e9 })
    expect(result).toMatchObject({ ended: 'exited', exitCode: 0, dropped: 300_000_011 - 1024 * 1024 })
    expect(result.stdout.startsWith('first\n')).toBe(true)
    expect(result.stdout.endsWith('last\n')).toBe(true)
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
  })

  it('ends a program that floods, and says what the limit was', async () => {
    const result = await shell('yes', { floodBytes: 8 * 1024 * 1024 })
    expect(result).toMatchObject({ ended: 'flooded', problem: '"yes" was ended: it wrote more than 8 MiB of output.' })
  })

  it('survives bytes that are no UTF-8', async () => {
    expect((await shell(String.raw`printf 'a\377\376b\000c'`)).stdout).toBe('a\uFFFD\uFFFDb\0c')
  })
})

describe('what a program leaves behind', () => {
  itNeeds('setsid')('is ended at the time limit: double forks, own sessions, trapped signals', async () => {
    const sleep = uniqueSleep()
    const run = shell(hostile(sleep), { timeoutMs: 700 })
    expect(await until(() => countOf(sleep) >= 4), 'the control: all four sleepers run').toBe(true)
    expect((await run).ended).toBe('timeout')
    expect(countOf(sleep)).toBe(0)
  })

  itNeeds('setsid')('is ended after a normal exit, too', async () => {
    const sleep = uniqueSleep()
    await shell(`setsid -f sleep ${sleep}; (sleep ${sleep} &); exit 0`)
    expect(countOf(sleep)).toBe(0)
  })

  itNeeds('setsid')('is found again by its run after its reeve has died, and nothing else is', async () => {
    const sleep = uniqueSleep()
    const other = uniqueSleep()
    const env = { PATH, REEVE_RUN: 'r-dead' }
    // A trusted program is not looked after, as if its reeve had died.
    await shell(`setsid -f sleep ${sleep} >/dev/null 2>&1; setsid -f sh -c 'env -i sleep ${sleep}; true' >/dev/null 2>&1`, {
      env,
      trusted: true,
    })
    await shell(`setsid -f sleep ${other} >/dev/null 2>&1`, { env: { PATH, REEVE_RUN: 'r-dead2' }, trusted: true })
    expect(await until(() => countOf(sleep) === 2 && countOf(other) === 1), 'the control: they run').toBe(true)
    expect(await sweepRun('r-dead')).toBe(3)
    expect(await until(() => countOf(sleep) === 0)).toBe(true)
    expect(countOf(other)).toBe(1)
    expect(await sweepRun('r-dead2')).toBe(1)
    expect(await sweepRun('r-dead')).toBe(0)
  })

  itNeeds('setsid')('is found by the outer reeve when an inner one started it', async () => {
    const sleep = uniqueSleep()
    const inner = join(temporaryFolder(), 'inner.mts')
    const source = `import { runProgram } from ${JSON.stringify(new URL('run-program.ts', import.meta.url).href)}
      await runProgram({ argv: ['/bin/sh', '-c', 'setsid -f sleep ${sleep}; sleep ${sleep}'], cwd: '/', env: { PATH: ${JSON.stringify(PATH)} }, timeoutMs: 60000, run: 'r-inner' })`
    writeFileSync(inner, source)
    const run = runProgram({
      argv: [process.execPath, inner],
      cwd: '/',
      env: { PATH },
      timeoutMs: 60_000,
      signal: stopWhen(() => countOf(sleep) === 2),
    })
    expect((await run).ended).toBe('aborted')
    expect(await until(() => countOf(sleep) === 0)).toBe(true)
  })

  it('never is the sweeping process itself', async () => {
    const source = `import { sweepRun } from ${JSON.stringify(new URL('sweep.ts', import.meta.url).href)}
      console.log('killed', await sweepRun('r-self'), 'and lives')`
    const script = join(temporaryFolder(), 'sweep.mts')
    writeFileSync(script, source)
    // The shell above it carries the mark as well, and must outlive the sweep to tell the exit code.
    const result = await shell(`sleep ${uniqueSleep()} & '${process.execPath}' '${script}'; echo "shell lives, $?"`, { run: 'r-self' })
    expect(result.stdout).toBe('killed 1 and lives\nshell lives, 0\n')
  })
})

function stopWhen(check: () => boolean): AbortSignal {
  const stop = new AbortController()
  const timer = setInterval(() => {
    if (!check()) return
    clearInterval(timer)
    stop.abort()
  }, 20)
  return stop.signal
}
