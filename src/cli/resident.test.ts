import { expect, it, onTestFinished } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { cli, fakeTerminal, lastLine, type TerminalOptions } from '../../test/support/terminal.ts'
import { localUser } from '../core/actor.ts'
import { settingsSchema } from '../core/settings.ts'
import { guardGateway } from '../daemon/gateway.ts'
import { queueLimits } from '../operations/queue-settings.ts'
import { main } from './main.ts'

/** Commands and a daemon's engine, in one process. */
async function setUp() {
  const project = makeRepository(TOY_FILES)
  const app = testApp(project).serve()
  const { engine } = await app.reside({ limits: queueLimits(settingsSchema.parse({})), env: {} })
  await engine.start()
  onTestFinished(() => engine.stop())
  const gateway = guardGateway(app, () => 'write')
  const client = () => gateway.as({ actor: localUser('you'), cwd: project, env: null })
  const reeve = (argv: readonly string[], options: TerminalOptions = {}) => cli(argv, { cwd: project, client: client(), ...options })
  /** A command that is interrupted, or left in another way, once it has said something. */
  async function left(argv: readonly string[], said: string, leave: (terminal: ReturnType<typeof fakeTerminal>) => void) {
    const terminal = fakeTerminal({ cwd: project, client: client() })
    const running = main(argv, terminal.host)
    await expect.poll(() => terminal.out(), { timeout: 20_000 }).toContain(said)
    leave(terminal)
    return { exit: await running, out: terminal.out(), err: terminal.err() }
  }
  return { gateway, reeve, left }
}

it('Ctrl-C leaves a run at work and says how to come back and how to stop it', async () => {
  const { reeve, left } = await setUp()
  const { exit, out, err } = await left(['run', 'Do it', '--workflow', 'hangs'], 'wait', (it) => it.interrupt())
  expect([exit, err]).toEqual([130, ''])
  expect(out).toMatch(/\nThe run goes on: reeve logs -f (r\w+)\nStop it with: reeve stop \1\n$/)
  expect((await reeve(['ls'])).out).toMatch(/running/)
  expect((await reeve(['show', 'last'])).out).toMatch(/Next\n {2}reeve logs -f r\w+\n {2}reeve stop r/)
  const watched = await left(['resume', 'last'], 'wait', (it) => it.interrupt())
  expect([watched.exit, watched.err], 'resume of a run at work looks on').toEqual([130, ''])
  expect((await reeve(['stop', 'last'])).exit).toBe(0)
})

it('says with --detach that the daemon works on it', async () => {
  const { reeve } = await setUp()
  const one = await reeve(['run', 'Do it', '--workflow', 'fine', '--detach'])
  expect([one.exit, one.out]).toEqual([
    0,
    expect.stringMatching(/^(r\w+) is queued: Do it\nThe daemon works on it\. Watch it with: reeve logs -f \1\n$/),
  ])
  expect((await reeve(['logs', '-f', 'last'])).out).toMatch(/succeeded: It is done\.\n$/)
})

it('looks on after a decision, to the end', async () => {
  const { reeve } = await setUp()
  expect((await reeve(['run', 'Do it', '--workflow', 'asks'])).exit).toBe(5)
  const approved = await reeve(['approve', 'last'])
  expect([approved.exit, approved.out]).toEqual([0, expect.stringContaining('You said yes.')])
  await reeve(['run', 'Do it', '--workflow', 'asks'])
  const noted = await reeve(['reject', 'last', '--no-wait'])
  expect(noted.out).toMatch(/^Your no is noted\.\nWatch it with: reeve logs -f r/)
})

it('is told when the daemon is stopped', async () => {
  const { gateway, left, reeve } = await setUp()
  const stop = () => {
    gateway.drain()
    gateway.leave()
  }
  const { exit, out } = await left(['run', 'Do it', '--workflow', 'hangs'], 'wait', stop)
  expect([exit, lastLine(out)]).toEqual([130, expect.stringMatching(/^The daemon was stopped\. Go on with: reeve resume r/)])
  const refused = await reeve(['run', 'Do that', '--workflow', 'fine'])
  expect([refused.exit, refused.err]).toEqual([
    3,
    'reeve: The daemon is being stopped and takes nothing new.\n       Try again in a moment.\n',
  ])
})
