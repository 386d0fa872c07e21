import { describe, expect, it } from 'vitest'
import type { ProgramSpec, Talk } from './port.ts'
import { runProgram } from './run-program.ts'

const PATH = process.env['PATH'] ?? '/usr/bin:/bin'
const ECHO = 'while read -r line; do [ "$line" = bye ] && exit 4; echo "you said $line"; done'

function converse(line: string, talk: Talk, more: Partial<ProgramSpec> = {}) {
  return runProgram({ argv: ['/bin/sh', '-c', line], cwd: '/', env: { PATH }, timeoutMs: 20_000, talk, ...more })
}

describe('a conversation with a program', () => {
  it('goes to and fro, and the end of the input is the end of the program', async () => {
    let heard = ''
    const result = await converse(ECHO, async ({ input, output }) => {
      input.write('one\n')
      for await (const chunk of output) {
        heard += String(chunk)
        if (heard.endsWith('two\n')) break
        input.write('two\n')
      }
    })
    expect(heard).toBe('you said one\nyou said two\n')
    expect(result).toMatchObject({ ended: 'exited', exitCode: 0, problem: '', stdout: heard })
  })

  it('is over when the program ends, and the exit code is told', async () => {
    let rest: string | null = null
    const result = await converse(ECHO, async ({ input, output }) => {
      input.write('bye\n')
      rest = ''
      for await (const chunk of output) rest += String(chunk)
    })
    expect(rest).toBe('')
    expect(result).toMatchObject({ ended: 'exited', exitCode: 4 })
  })

  it('that is over ends a program that stays, without calling that a failure', async () => {
    const result = await converse('echo ready; trap "" TERM; while :; do sleep 0.05; done', async ({ output }) => {
      for await (const chunk of output) if (String(chunk).includes('ready')) return
    })
    expect(result).toMatchObject({ ended: 'exited', exitCode: null, problem: '' })
  })

  it('that goes wrong ends the program, too', async () => {
    const result = await converse('sleep 30', () => Promise.reject(new Error('no words')))
    expect(result).toMatchObject({ ended: 'exited', exitCode: null })
  })

  it('does not keep a program beyond its time, nor beyond a stop from outside', async () => {
    const never: Talk = async ({ output }) => {
      for await (const _ of output);
    }
    expect(await converse('sleep 30', never, { timeoutMs: 30 })).toMatchObject({ ended: 'timeout' })
    const stop = new AbortController()
    const stopped = converse('echo ready; sleep 30', async (streams) => (stop.abort(), await never(streams)), { signal: stop.signal })
    expect(await stopped).toMatchObject({ ended: 'aborted' })
  })
})
