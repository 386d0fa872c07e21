import { expect, it } from 'vitest'
import { itNeeds } from '../../test/support/needs.ts'
import { descendantsOf, listByPs, listProcesses, ourLine, type ProcessRow } from './process-table.ts'
import { runProgram } from './run-program.ts'

const row = (pid: number, parent: number): ProcessRow => ({ pid, parent, group: pid, run: '', proc: '' })

it('finds what is below a process, however deep, and goes round no circle', () => {
  const rows = [row(2, 1), row(3, 2), row(4, 3), row(5, 1), row(6, 7), row(7, 6)]
  expect([...descendantsOf(new Set([2]), rows)].toSorted((a, b) => a - b)).toEqual([3, 4])
  expect(descendantsOf(new Set([6]), rows)).toEqual(new Set([6, 7]))
})

it('lists this process with its line of parents', async () => {
  const rows = await listProcesses()
  expect(rows.map((it) => it.pid)).toContain(process.pid)
  expect([...ourLine(rows)]).toEqual(expect.arrayContaining([process.pid, process.ppid]))
})

const find = async (list: typeof listByPs) => (await list()).find((it) => it.run === 'r-by-ps')

itNeeds(['ps', '-V'])('sees the same marks by ps as in /proc', async () => {
  const stop = new AbortController()
  const env = { PATH: process.env['PATH'] ?? '', NOT_LAST: 'a b' }
  const run = runProgram({ argv: ['sleep', '300'], cwd: '/', env, timeoutMs: 60_000, run: 'r-by-ps', signal: stop.signal })
  let seen = await find(listByPs)
  for (let at = 0; at < 50 && !seen; at++) seen = await find(listByPs)
  expect(seen).toBeDefined()
  expect(seen).toEqual(await find(listProcesses))
  stop.abort()
  expect((await run).ended).toBe('aborted')
  expect(await find(listByPs)).toBeUndefined()
})
