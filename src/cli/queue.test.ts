import { describe, expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { cli, type TerminalOptions } from '../../test/support/terminal.ts'
import { localUser } from '../core/actor.ts'

function setUp() {
  const project = makeRepository(TOY_FILES)
  // One product for all commands of a test, as with the daemon.
  const app = testApp(project).serve()
  const client = () => app.as({ actor: localUser('ada'), cwd: project, env: null })
  const reeve = (argv: readonly string[], options: TerminalOptions = {}) =>
    cli(argv, { cwd: project, client: client(), columns: 160, now: Date.now(), ...options })
  return { project, reeve }
}

const tasks = (count: number) =>
  Array.from({ length: count }, (_, at) => `id: t${at}\ntitle: Task ${at}\ndescription: d\nworkflow: fine\n`).join('---\n')

describe('the queue at the terminal', () => {
  it('lists what is queued, in order, with the reason of each', async () => {
    const { reeve, project } = setUp()
    const files = { 'tasks.yaml': tasks(5) }
    const queued = await reeve(['run', '-f', 'tasks.yaml', '--detach'], { files })
    expect(queued.out.trimEnd().split('\n').slice(0, 5)).toEqual(
      Array.from({ length: 5 }, (_, at) => expect.stringMatching(`is queued: Task ${at}$`)),
    )
    expect((await reeve(['priority', 'last', '--', '-5'])).out).toMatch(/^r\w+ has priority -5 now \(queued\)\.\n$/)
    const { out } = await reeve(['queue', '-n', '4'])
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toBe('5 queued, 0 at work (at most 8 of all projects)')
    expect(lines[1]).toMatch(/^#\s+RUN\s+PRIORITY\s+TITLE\s+STARTS\s+WHY IT WAITS$/)
    expect(lines[2]).toMatch(/^1\s+r\w+\s+0\s+Task 0\s+now\s+begins next$/)
    expect(lines[5]).toMatch(/^4\s+r\w+\s+0\s+Task 3\s+\?\s+project limit 3 of 3$/)
    expect(lines[6]).toBe('and 1 more: reeve queue --limit 5')

    const paused = await reeve(['queue', 'pause'])
    expect(paused.out).toMatch(/: paused by .+; go on with: reeve queue resume\nNone is at work\.\n$/)
    expect(paused.out).toContain(project)
    expect((await reeve(['queue'])).out).toContain('queue paused by')
    expect((await reeve(['queue', 'drain', '--all'])).out).toMatch(
      /^Nothing is at work any more\.\nall projects: draining by .+ reeve queue resume --all\n/,
    )
    expect((await reeve(['queue', 'resume'])).out).toMatch(/^all projects: draining/)
    expect((await reeve(['queue', 'resume', '--all'])).out).toBe('Queued runs begin again.\n')
  })

  it('says how many tasks were queued where they are many, and all of them to programs', async () => {
    const { reeve } = setUp()
    const files = { 'tasks.yaml': tasks(30) }
    const lines = (await reeve(['run', '-f', 'tasks.yaml', '--detach'], { files })).out.trimEnd().split('\n')
    expect(lines).toHaveLength(5)
    expect(lines[3]).toBe('... 30 runs in all; see them with: reeve queue')
    const json = await reeve(['run', '-f', 'tasks.yaml', '--detach', '--json'], { files })
    expect(json.out.trimEnd().split('\n')).toHaveLength(30)
  })

  it('says why a run that is watched does not begin', async () => {
    const { reeve } = setUp()
    await reeve(['queue', 'pause', '--all'])
    const run = reeve(['run', 'Do it', '--workflow', 'fine'])
    // It goes on as soon as the queue does.
    await expect.poll(async () => (await reeve(['queue'])).out, { timeout: 20_000 }).toContain('queue paused by')
    await reeve(['queue', 'resume', '--all'])
    const { exit, out } = await run
    expect(out).toMatch(/^It waits: queue paused by .+ See: reeve queue\n/)
    expect(exit).toBe(0)
  })

  it('shows a scheduled run with its time', async () => {
    const { reeve } = setUp()
    expect((await reeve(['run', 'Do it', '--at', '2099-01-02T03:00', '--detach'])).out).toMatch(
      /^r\w+ is queued for 2099-01-02 03:00:00: Do it\n/,
    )
    expect((await reeve(['ls'])).out).toContain('queued (2099-01-02 03:00)')
    expect((await reeve(['show', 'last'])).out).toContain('not before 2099-01-02 03:00:00 · why it waits: reeve queue')
    const { out } = await reeve(['queue'], { columns: 80 })
    expect(out, 'no terminal: nothing is cut').toMatch(/starts at 2099-01-0[12]T\d\d:00:00Z\n$/)
    const [, , row = ''] = (await reeve(['queue'], { columns: 80, tty: true })).out.split('\n')
    expect(row).toMatch(/^-\s+r\w+\s+0\s+Do it\s+in [\w ]+ {2}starts at 2099-01-0/)
    expect(row.length, row).toBeLessThanOrEqual(80)
  })

  it('shows no time that is over', async () => {
    const { reeve } = setUp()
    expect((await reeve(['run', 'Do it', '--at', '2020-01-02', '--detach'])).out).toMatch(/^r\w+ is queued: Do it\n/)
    expect((await reeve(['show', 'last'])).out).not.toContain('not before')
    expect((await reeve(['ls'])).out).not.toContain('2020')
    expect((await reeve(['ls', '--status', 'running'])).out).toBe('No run has this status.\n')
  })

  it('retries what has failed, once', async () => {
    const { reeve } = setUp()
    await reeve(['run', 'Do it', '--workflow', 'red'])
    const again = await reeve(['retry', '--failed', '--since', '24h', '--workflow', 'fine'])
    expect([again.exit, again.out]).toEqual([0, expect.stringContaining('succeeded: It is done.')])
    expect((await reeve(['retry', '--failed'])).out).toBe('Nothing to retry: no task whose last run has failed.\n')
    expect((await reeve(['retry'])).err).toContain('Name a run, or give --failed')
    expect((await reeve(['retry', 'last', '--since', '1h'])).err).toContain('--since goes with --failed.')
  })
})
