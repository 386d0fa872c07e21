import { expect, it } from 'vitest'
import { isAlive, thisProcess } from './alive.ts'
import { runProgram } from './run-program.ts'

it('knows a running process from a dead one and from another of the same number', async () => {
  const self = await thisProcess()
  expect(await isAlive(self)).toBe(true)
  expect(await isAlive({ ...self, started: '1' })).toBe(false)
  const { stdout } = await runProgram({ argv: ['/bin/sh', '-c', 'echo $$'], cwd: '/', env: {}, timeoutMs: 5000 })
  expect(await isAlive({ pid: Number(stdout), started: self.started })).toBe(false)
})
