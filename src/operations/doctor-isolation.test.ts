import { expect, it } from 'vitest'
import type { IsolationLevel, IsolationReport } from '../core/isolation.ts'
import { levelCheck, rootChecks } from './doctor-isolation.ts'

const report = (level: IsolationLevel, more: Partial<IsolationReport> = {}): IsolationReport => ({
  level,
  by: 'bubblewrap 0.8.0',
  holds: [],
  reason: '',
  improve: null,
  ...more,
})

it('says loudly what root changes, at each level in its own words, and nothing to others', () => {
  expect(rootChecks(report('guarded'), 0)).toMatchObject([
    { status: 'warning', detail: expect.stringContaining('everything on this machine') },
  ])
  expect(rootChecks(report('os-sandbox'), 0)).toMatchObject([
    { status: 'warning', detail: expect.stringContaining('The kernel does not count the processes of root') },
  ])
  expect(rootChecks(report('guarded'), 1000)).toEqual([])
  expect(rootChecks(report('guarded'), undefined)).toEqual([])
})

it('names the level, what holds it, why it is no better, and the command that helps', () => {
  const improve = { command: 'sudo chmod u-s /usr/bin/bwrap', gain: 'a sandbox of the operating system' }
  const setuid = report('guarded', { by: 'plain processes', reason: '/usr/bin/bwrap is setuid.', improve })
  expect(levelCheck(setuid, 'os-sandbox')).toEqual({
    about: 'machine',
    name: 'isolation',
    status: 'missing',
    detail: 'L1 guarded by plain processes: /usr/bin/bwrap is setuid. Runs need L2 os-sandbox and do not start.',
    hint: 'For a sandbox of the operating system: sudo chmod u-s /usr/bin/bwrap',
  })
  expect(levelCheck(setuid, 'guarded').status).toBe('ok')
  expect(levelCheck(report('none', { by: 'nothing' }), 'none')).toMatchObject({ status: 'warning', detail: 'L0 none by nothing' })
})
