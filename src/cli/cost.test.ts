import { describe, expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { temporaryFolder } from '../../test/support/folder.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { cli } from '../../test/support/terminal.ts'
import { toyTask } from '../../test/support/toy-task.ts'
import { reeveFolders } from '../config/home.ts'
import type { RunEvent } from '../core/event.ts'
import { openStore, type Store } from '../store/open.ts'

const usage = { inputTokens: 12_300, outputTokens: 450, cachedInputTokens: 9000, requests: 4 }

async function tell(store: Store, run: string, step: string, provider: string, model: string, end: RunEvent['data']): Promise<void> {
  await store.append(run, null, 'step.started', { step, kind: 'agent', role: step, attempt: 1 })
  await store.append(run, null, 'provider.chosen', { step, provider, model, reason: 'first in order' })
  await store.append(run, null, 'step.finished', { step, ...end })
}

/** A project with two runs, of which one has used a model without a price. */
async function setUp() {
  const project = makeRepository(TOY_FILES)
  const app = testApp(project)
  const reeve = (...argv: string[]) => cli(argv, { cwd: project, client: app.open() })
  const store = await openStore(reeveFolders({ REEVE_HOME: `${app.home}/reeve` }, app.home).state)
  const submit = async (id: string) => {
    const task = toyTask(id, { title: `Do ${id}` })
    return (await store.submit({ task, project, workflow: 'fine', options: {} })).row.id
  }
  const [one, two] = [await submit('one'), await submit('two')]
  await tell(store, one, 'architect', 'api', 'large-1', { usage, cost: 0.3 })
  await tell(store, one, 'implementer', 'api', 'small-1', { usage: { ...usage, requests: 2 }, cost: 0.004 })
  await tell(store, two, 'implementer', 'cli', 'other', { usage: { ...usage, requests: 1 }, cost: null })
  await store.close()
  return { project, app, reeve, one, two }
}

describe('reeve cost', () => {
  it('shows what each model has used, and what is not known', async () => {
    const { reeve } = await setUp()
    const { exit, out } = await reeve('cost')
    expect(exit).toBe(0)
    expect(out.split('\n')).toEqual([
      'MODEL    CALLS  INPUT  CACHED  OUTPUT  COST',
      'large-1      4  12.3k      9k     450  $0.30',
      'small-1      2  12.3k      9k     450  <$0.01',
      'other        1  12.3k      9k     450  unknown',
      'total        7  36.9k     27k    1.4k  $0.30 + unknown',
      'The cost of 1 call or step is not known; a price can be set in [prices].',
      '',
    ])
  })

  it('shows the steps of one run, and other keys', async () => {
    const { reeve, one, two } = await setUp()
    expect((await reeve('cost', '--run', one)).out).toMatch(
      /^STEP +CALLS.*\narchitect +4 .*\$0\.30\nimplementer +2 .*<\$0\.01\ntotal +6 .*\$0\.30\n$/,
    )
    expect((await reeve('cost', '--run', two, '--by', 'provider')).out, 'no total of one line').toMatch(
      /^PROVIDER +CALLS.*\ncli +1 .*unknown\nThe cost/,
    )
    expect((await reeve('cost', '--by', 'task')).out).toContain('one · Do one ')
    expect((await reeve('cost', '--by', 'day', '--since', '1d')).out).toMatch(/^DAY .*\n\d{4}-\d\d-\d\d +7 /)
  })

  it('gives everything to programs', async () => {
    const { reeve, one } = await setUp()
    const report = JSON.parse((await reeve('cost', '--by', 'run', '--json')).out) as { rows: object[]; total: object }
    expect(report).toMatchObject({
      by: 'run',
      run: null,
      since: null,
      total: { known: 0.304, unknown: 1, reserved: 0, usage: { requests: 7 } },
    })
    expect(report.rows).toContainEqual(expect.objectContaining({ key: one, title: 'Do one', known: 0.304, unknown: 0 }))
  })

  it('says the same as show', async () => {
    const { reeve, one } = await setUp()
    const shown = JSON.parse((await reeve('show', one, '--json')).out) as { usage: object; cost: number }
    const { total } = JSON.parse((await reeve('cost', '--run', one, '--json')).out) as { total: { usage: object; known: number } }
    expect([total.usage, total.known]).toEqual([shown.usage, shown.cost])
  })

  it('says when there is nothing, here or since then', async () => {
    const { app, reeve } = await setUp()
    const empty = makeRepository(TOY_FILES)
    const elsewhere = (...argv: string[]) => cli(argv, { cwd: empty, client: app.open({ cwd: empty }) })
    expect((await elsewhere('cost')).out).toBe('Nothing was used yet. Begin with: reeve run "..."\n')
    expect((await elsewhere('cost', '--all')).out).toContain('total')
    expect((await reeve('cost', '--since', '2999-01-01')).out).toBe('Nothing was used since 2999-01-01.\n')
  })

  it('says what is allowed', async () => {
    const { reeve } = await setUp()
    const refusals: [string[], string][] = [
      [
        ['--since', 'yesterday'],
        '--since is "yesterday"; allowed: minutes, hours, days or weeks such as 30m, 24h, 7d and 2w, or a day such as 2026-11-01',
      ],
      [['--since', '2026-13-40'], '--since is "2026-13-40"; allowed: minutes'],
      [['--by', 'colour'], 'allowed: provider, model, role, task, day, step, run'],
    ]
    for (const [argv, sentence] of refusals) {
      const { exit, err } = await reeve('cost', ...argv)
      expect([exit, err]).toEqual([2, expect.stringContaining(sentence)])
    }
  })

  it('knows no run that is not there, and wants a project or --all', async () => {
    const { app, reeve } = await setUp()
    expect(await reeve('cost', '--run', 'zzzz')).toMatchObject({ exit: 4, err: expect.stringContaining('No run "zzzz"') as string })
    const outside = temporaryFolder()
    expect((await cli(['cost'], { cwd: outside, client: app.open({ cwd: outside }) })).exit).toBe(3)
    expect((await cli(['cost', '--all'], { cwd: outside, client: app.open({ cwd: outside }) })).exit).toBe(0)
  })
})
