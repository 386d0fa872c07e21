import { chmodSync, mkdirSync, realpathSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/folder.ts'
import type { ProgramSpec } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { createDetector, isWithin } from './detect.ts'

const TESTED = { from: '1.2.0', to: '1.10.3' }

/** A home, a folder of programs, and a detector that counts what it starts. */
function machine(timeoutMs = 5000) {
  const home = temporaryFolder()
  const bin = join(home, 'bin')
  mkdirSync(bin)
  const asked: ProgramSpec[] = []
  const detect = createDetector({
    env: { PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`, AGENT_API_KEY: 'secret' },
    home,
    timeoutMs,
    run: (spec) => {
      asked.push(spec)
      return runProgram(spec)
    },
  })
  const program = (script: string, name = 'agent') => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return { home, bin, asked, detect, program }
}

describe('finding a CLI agent', () => {
  it('says where it really is and which version, and asks once as long as the file is the same', async () => {
    const { bin, asked, detect, program } = machine()
    program('echo "warning: no config" >&2; echo "agent-cli 1.4.12 (build 7)"', 'agent-1.4.12')
    symlinkSync('agent-1.4.12', join(bin, 'agent'))
    const adapter = { binary: 'agent', tested: TESTED, login: null }
    const realPath = join(realpathSync(bin), 'agent-1.4.12')
    const found = { path: join(bin, 'agent'), realPath, version: '1.4.12', outsideTested: true, loggedIn: null, problem: '' }
    expect(await detect(adapter)).toEqual({ ...found, outsideTested: false })
    expect(await detect({ ...adapter, tested: { from: '1.4.13', to: '1.4.13' } })).toEqual(found)
    expect(await detect({ ...adapter, tested: null })).toEqual(found)
    expect(asked).toHaveLength(1)
    utimesSync(join(bin, 'agent-1.4.12'), new Date(), new Date(1000))
    await detect(adapter)
    expect(asked).toHaveLength(2)
    expect(JSON.stringify(asked)).not.toContain('secret')
  })

  it('says when there is none', async () => {
    const { detect } = machine()
    const adapter = { binary: 'agent', tested: TESTED, login: null }
    expect(await detect(adapter)).toMatchObject({ path: null, problem: 'There is no program "agent" on the search path.' })
    expect(await detect(adapter, '/opt/none')).toMatchObject({ path: null, problem: 'There is no program at /opt/none.' })
    expect(await detect(adapter, './agent')).toMatchObject({ path: null, problem: 'The path ./agent is not absolute.' })
  })

  it('says when what is there is no program', async () => {
    const { bin, detect } = machine()
    const adapter = { binary: 'agent', tested: TESTED, login: null }
    expect(await detect(adapter, bin)).toMatchObject({ path: null, problem: `What is at ${bin} is a folder, no program.` })
    writeFileSync(join(bin, 'notes'), '')
    expect(await detect(adapter, join(bin, 'notes'))).toMatchObject({
      path: null,
      problem: `The file ${join(bin, 'notes')} may not be executed.`,
    })
  })

  it('does not start one that nobody has described: it might begin to work', async () => {
    const { asked, detect, program } = machine()
    program('cat')
    const adapter = { kind: 'command' as const, binary: 'agent', tested: null, login: null }
    expect(await detect(adapter)).toMatchObject({ path: expect.stringMatching(/agent$/), version: null, problem: '' })
    expect(asked).toEqual([])
  })

  it('says when it does not work', async () => {
    const { detect, program } = machine()
    program('echo no license >&2; exit 3')
    expect(await detect({ binary: 'agent', tested: TESTED, login: null })).toMatchObject({
      version: null,
      outsideTested: false,
      problem: expect.stringMatching(/exit code 3: no license$/),
    })
    program('echo hello')
    expect(await detect({ binary: 'agent', tested: TESTED, login: null })).toMatchObject({
      version: null,
      problem: 'It does not say its version.',
    })
  })

  it('waits no longer than its limit', async () => {
    const { detect, program } = machine(200)
    program('sleep 60')
    expect(await detect({ binary: 'agent', tested: TESTED, login: null })).toMatchObject({
      version: null,
      problem: expect.stringMatching(/200 ms/),
    })
  })
})

describe('the log-in', () => {
  const adapter = { binary: 'agent', tested: TESTED, login: { paths: ['.agent/auth.json'], hosts: [] } }

  it('is there when its file is, which is not read', async () => {
    const { home, detect, program } = machine()
    program('echo 1.2.3')
    expect(await detect(adapter)).toMatchObject({ loggedIn: false })
    mkdirSync(join(home, '.agent'))
    writeFileSync(join(home, '.agent/auth.json'), '')
    expect(await detect(adapter)).toMatchObject({ loggedIn: false })
    writeFileSync(join(home, '.agent/auth.json'), 'not even JSON')
    chmodSync(join(home, '.agent/auth.json'), 0)
    expect(await detect(adapter)).toMatchObject({ loggedIn: true })
  })

  it('is what the program says, where it can be asked', async () => {
    const { home, detect, program } = machine()
    const asks = { ...adapter, login: { ...adapter.login, status: ['auth', 'status'] } }
    program('[ "$1" = --version ] && echo 1.2.3 && exit; [ "$*" = "auth status" ] && [ -f "$HOME/in" ]')
    expect(await detect(asks)).toMatchObject({ loggedIn: false, problem: '' })
    writeFileSync(join(home, 'in'), '')
    expect(await detect(asks)).toMatchObject({ loggedIn: true })
  })

  it('is unknown where nobody can tell', async () => {
    const { detect, program } = machine()
    program('echo 1.2.3')
    expect(await detect({ ...adapter, login: { paths: [], hosts: [] } })).toMatchObject({ loggedIn: null })
  })
})

describe('versions', () => {
  it('are compared as numbers', () => {
    expect(['1.2.0', '1.10.3', '1.9.99'].map((it) => isWithin(it, TESTED))).toEqual([true, true, true])
    expect(['1.1.99', '1.10.4', '2.0.0'].map((it) => isWithin(it, TESTED))).toEqual([false, false, false])
    expect(isWithin('1.2.0', null)).toBe(false)
  })
})
