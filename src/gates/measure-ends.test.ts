import { existsSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesOf, makeCheckout } from '../../test/support/checkout.ts'
import { temporaryFolder } from '../../test/support/folder.ts'
import { ReeveError } from '../core/errors.ts'
import { settingsSchema } from '../core/settings.ts'
import { guard } from '../sandbox/guarded.ts'
import { createLimits } from '../sandbox/limits/of-runs.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { Checkout } from '../workspace/port.ts'
import { measure } from './measure.ts'
import type { Measurement, MeasureOptions } from './port.ts'

const shell = (line: string, more: Partial<DetectedCommand> = {}): DetectedCommand => ({
  gate: 'tests',
  tool: 'configured',
  argv: ['/bin/sh', '-c', line],
  command: line,
  cwd: '.',
  reason: '[gates.tests] in reeve.toml',
  needs: { program: '/bin/sh', hint: '' },
  report: { format: 'exit-code', path: null },
  ...more,
})

async function run(
  command: DetectedCommand,
  checkout: Checkout = makeCheckout({ 'a.c': '' }),
  options: Partial<MeasureOptions> = {},
): Promise<Measurement> {
  return await measure(command, checkout, { timeoutMs: 20_000, signal: new AbortController().signal, ...options })
}

describe('a configured command', () => {
  it('is run by the shell in the project, its reason kept', async () => {
    const measured = await run(shell('test -f a.c && echo "in $(basename "$PWD")"'))
    expect(measured).toMatchObject({
      status: 'passed',
      exitCode: 0,
      cases: null,
      tool: 'configured',
      outputTail: 'in project',
      reason: '[gates.tests] in reeve.toml',
    })
  })

  it('is judged by the report that it writes, not by its exit code alone', async () => {
    const xml =
      '<testsuites><testsuite name=\\"s\\"><testcase name=\\"a\\"/><testcase name=\\"b\\"><failure message=\\"no\\"/></testcase></testsuite></testsuites>'
    const measured = await run(shell(`mkdir -p out; echo "${xml}" > out/r.xml`, { report: { format: 'junit', path: 'out/r.xml' } }))
    expect(measured).toMatchObject({ status: 'failed', exitCode: 0 })
    expect(measured.cases?.map((it) => `${it.name} ${it.status}`)).toEqual(['s > a passed', 's > b failed'])
  })

  it('has its report folder elsewhere when a program has put a link in the place of the one for temporary files', async () => {
    const [victim, home] = [temporaryFolder(), temporaryFolder()]
    symlinkSync(victim, join(home, 'tmp'))
    const checkout = makeCheckout({ 'a.c': '' })
    const env = { ...checkout.env, TMPDIR: join(home, 'tmp') }
    utimesSync(victim, 1, 1)
    expect(await run(shell('true'), { ...checkout, env })).toMatchObject({ status: 'passed' })
    expect(statSync(victim).mtimeMs, 'nothing was made in it').toBe(1000)
  })

  it('can name the private report folder', async () => {
    const measured = await run(
      shell('echo "1..1" > {report}/x.tap; echo "ok 1 - held" >> {report}/x.tap', { report: { format: 'tap', path: '{report}/x.tap' } }),
    )
    expect(measured.cases?.map((it) => it.name)).toEqual(['held'])
  })

  it('is not saved by a report that lay there before', async () => {
    const checkout = makeCheckout({ 'junit.xml': '<testsuite name="s"><testcase name="old"/></testsuite>' })
    const { utimesSync } = await import('node:fs')
    utimesSync(join(checkout.path, 'junit.xml'), 1, 1)
    expect(await run(shell('true'), checkout)).toMatchObject({ cases: null })
    expect(await run(shell('true', { report: { format: 'junit', path: 'junit.xml' } }), checkout)).toMatchObject({ cases: null })
  })

  it('has a broken report: failed, with the reason, and what was whole', async () => {
    const measured = await run(
      shell(`echo '<testsuite name="s"><testcase name="a"/><testcase' > r.xml`, { report: { format: 'junit', path: 'r.xml' } }),
    )
    expect(measured.status).toBe('failed')
    expect(measured.problem).toMatch(/^The JUnit report r\.xml is broken: /)
    expect(measured.cases).toHaveLength(1)
  })
})

describe('a command under limits', () => {
  it('that breaks one has a finding that names it, whatever it printed of full disks', async () => {
    const limits = await createLimits(settingsSchema.parse({ sandbox: { limits: { file_size_mb: 1 } } }).sandbox.limits, null)
    const checkout = { ...makeCheckout({ 'a.c': '' }), confinement: guard(limits.of({ folders: [] }, 'run')) }
    const measured = await run(shell('echo ENOSPC; head -c 3000000 /dev/zero > big'), checkout)
    const sentence =
      'echo ENOSPC; head -c 3000000 /dev/zero > big was ended: it broke the limit of 1 MB for file size with 1 MB (sandbox.limits.file_size_mb).'
    expect(measured).toMatchObject({ status: 'failed', problem: sentence, environmental: false, exitCode: null })
    expect(measured.findings).toMatchObject([{ rule: 'reeve/limit-file-size', message: sentence }])
  })

  it('whose sandbox fails was not run', async () => {
    const failing = {
      level: 'os-sandbox',
      launch: () => Promise.reject(new ReeveError('sandbox_failed', { problem: 'no filter' })),
    } as const
    const measured = await run(shell('true'), { ...makeCheckout({ 'a.c': '' }), confinement: failing })
    expect(measured).toMatchObject({ status: 'not_run', findings: [] })
    expect(measured.problem).toContain('no filter')
  })
})

describe('the end of a command', () => {
  it('comes at its time limit', async () => {
    const measured = await run(shell('echo begun; sleep 30'), undefined, { timeoutMs: 400 })
    expect(measured).toMatchObject({ status: 'failed', exitCode: null, environmental: false, outputTail: 'begun' })
    expect(measured.findings[0]?.rule).toBe('reeve/timeout')
    expect(measured.durationMs).toBeLessThan(10_000)
  })

  it('counts what runs before it within the same limit', async () => {
    const measured = await run(shell('echo never', { prepare: [{ argv: ['sleep', '30'] }] }), undefined, { timeoutMs: 400 })
    expect(measured.findings[0]?.rule).toBe('reeve/timeout')
    expect(measured.outputTail).toBe('')
  })

  it('comes when it is aborted', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 200)
    expect(await run(shell('sleep 30'), undefined, { signal: stop.signal })).toMatchObject({ status: 'not_run' })
  })

  it('is a failure when a signal ended it, and the machine is at fault when it was killed', async () => {
    expect(await run(shell('kill -SEGV $$'))).toMatchObject({
      status: 'failed',
      environmental: false,
      findings: [{ rule: 'reeve/killed' }],
    })
    expect(await run(shell('kill -KILL $$'))).toMatchObject({ status: 'failed', environmental: true })
    expect(await run(shell('echo "write failed: No space left on device" >&2; exit 1'))).toMatchObject({
      status: 'failed',
      environmental: true,
      problem: 'The disk is full.',
    })
  })

  it('keeps the end of a long output, and tells it while it comes', async () => {
    let heard = 0
    const measured = await run(shell('i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; exit 1'), undefined, {
      onOutput: (text) => (heard += text.length),
    })
    expect(measured.outputTail.length).toBeLessThanOrEqual(4000)
    expect(measured.outputTail).toMatch(/line 19999$/)
    expect(heard).toBeGreaterThan(100_000)
  })

  it('passes when a known command is loud', async () => {
    const measured = await run(shell('head -c 80000000 /dev/zero | tr "\\0" "x"; echo; echo end'), undefined, { timeoutMs: 60_000 })
    expect(measured).toMatchObject({ status: 'passed' })
    expect(measured.outputTail).toMatch(/end$/)
  })
})

describe('what runs before a command', () => {
  it('ends it when it fails, and is what is told', async () => {
    const measured = await run(shell('echo second', { prepare: [{ argv: ['/bin/sh', '-c', 'echo "a.c:3:1: error: broken"; exit 4'] }] }))
    expect(measured).toMatchObject({ status: 'failed', exitCode: 4, findings: [{ file: 'a.c', line: 3, message: 'broken' }] })
    expect(measured.outputTail).not.toContain('second')
  })

  it('may fail where it says so; its exit code counts', async () => {
    const measured = await run(
      shell('echo second', { gate: 'coverage', prepare: [{ argv: ['/bin/sh', '-c', 'echo first; exit 4'], mayFail: true }] }),
    )
    expect(measured).toMatchObject({ status: 'failed', exitCode: 4 })
    expect(measured.outputTail).toContain('second')
  })
})

describe('the folder of a command', () => {
  it('must be there and inside the project', async () => {
    const checkout = makeCheckout({ 'a.c': '' })
    symlinkSync(temporaryFolder(), join(checkout.path, 'out'))
    expect(await run(shell('true', { cwd: 'none' }), checkout)).toMatchObject({
      status: 'not_run',
      problem: 'There is no folder "none" in the project.',
    })
    expect(await run(shell('true', { cwd: 'out' }), checkout)).toMatchObject({
      status: 'not_run',
      problem: 'The folder "out" is outside the project.',
    })
    expect(await run(shell('true', { cwd: '..' }), checkout)).toMatchObject({
      status: 'not_run',
      problem: 'The folder ".." is outside the project.',
    })
  })

  it('holds nothing new afterwards, and the private report folder is gone', async () => {
    const checkout = makeCheckout({ 'a.c': '' })
    let said = ''
    await run(shell('echo x > {report}/left-behind && echo {report}'), checkout, { onOutput: (text) => (said += text) })
    expect(said.trim()).toMatch(/\/reeve-report-\w+$/)
    expect(said.startsWith(checkout.path)).toBe(false)
    expect(existsSync(said.trim())).toBe(false)
    expect(filesOf(checkout)).toEqual(['a.c'])
  })
})
