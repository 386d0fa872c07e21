import { join } from 'node:path'
import { expect, vi } from 'vitest'
import type { Scene } from '../../src/models/scripted-server/script.ts'
import { startScriptedServer } from '../../src/models/scripted-server/server.ts'
import { RANGES } from '../scenarios/cases.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { fixtureProject } from '../support/fixture-project.ts'
import { temporaryFolder, writeFiles } from '../support/folder.ts'
import { itNeeds } from '../support/needs.ts'
import { processesOfRun } from '../support/processes.ts'
import { reeveFor } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { CLIS, type Cli, filesWith, WHOLE } from './bench.ts'
import { searchPath } from './search-path.ts'
import { KEY, MODEL } from './session.ts'

// Agents start slowly where several start at once.
vi.setConfig({ testTimeout: 300_000 })

interface Edit {
  path: string
  old: string
  new: string
}
const tests = RANGES.tests.input as { path: string; content: string }
const [right] = RANGES.right.map((it) => it.input as unknown as Edit) as [Edit]
const wrong = RANGES.wrong.input as unknown as Edit
const undone: Edit = { path: wrong.path, old: wrong.new, new: right.new }
const read = { read: RANGES.file }
const test = { run: 'npm test' }
const done = { say: 'It is done.' }
const plan = { summary: 'One part.', parts: [{ id: 'all', title: RANGES.task.title, goal: RANGES.task.description, files: [RANGES.file] }] }

const DIRECT: readonly Scene[] = [{ when: 'You are the implementer', steps: [read, { write: tests }, { edit: right }, test, done] }]
/** A first attempt that the gates refuse, and one that mends it. */
const BUILD: readonly Scene[] = [
  { when: 'You are the architect', steps: [read, { answer: plan }] },
  { when: 'You are the spec author', steps: [{ write: tests }, done] },
  { when: 'You are the reviewer', steps: [{ say: 'It joins ranges with a gap.' }] },
  { when: 'You are the implementer[\\s\\S]*last attempt', steps: [read, { edit: undone }, test, done] },
  { when: 'You are the implementer', steps: [read, { edit: wrong }, done] },
]

/** A task from its request to a commit that programs have verified, all roles by one real agent. */
async function succeeds(cli: Cli, workflow: 'direct' | 'build', mode: 'batch' | 'acp' = 'batch') {
  const server = await startScriptedServer({ scenes: workflow === 'direct' ? DIRECT : BUILD, key: KEY, models: [MODEL] })
  try {
    const config = `[runs]\nworkflow = "${workflow}"\n[gates.coverage]\nenabled = false\n`
    const project = fixtureProject(RANGES.fixture, { files: { 'reeve.toml': config } })
    const before = fingerprint(project)
    const home = temporaryFolder('reeve-home-')
    const settings = { kind: cli, mode, model: MODEL, base_url: server.url, api_key_env: 'SCRIPTED_API_KEY' }
    const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)
    writeFiles(home, { 'reeve/config/config.toml': ['[providers]', 'order = ["real"]', '[providers.real]', ...lines, ''].join('\n') })
    const env = { PATH: searchPath(), SCRIPTED_API_KEY: KEY, REEVE_SANDBOX__MINIMUM: 'os-sandbox' }
    const reeve = reeveFor(project, home)
    const ended = await reeve.run(RANGES.task, { env })
    const { run, events } = ended
    const story = `${ended.text}\n${server.log.map((it) => `${it.path} ${it.status} ${it.scene}/${it.step}`).join('\n')}`

    expect(ended.exitCode, story).toBe(0)
    expect([run.status, run.verdict?.redProof.status, run.attempts], story).toEqual(['succeeded', 'proved', workflow === 'build' ? 2 : 1])
    expect(git(project, 'rev-parse', run.branch)).toBe(run.commit)
    expect(git(project, 'diff', '--name-only', run.base, run.branch).split('\n')).toEqual([RANGES.file, RANGES.testFile].toSorted())
    expect(fingerprint(project), 'the checkout of the user').toEqual(before)
    expect(new Set(events.filter((it) => it.type === 'agent.started').map((it) => it.data['program']))).toEqual(new Set([cli]))
    const charged = events.filter((it) => it.type === 'usage.reported' && it.data['source'] === 'metered')
    expect(charged.length, 'each request is charged once').toBe(server.log.filter((it) => it.number > 0).length)
    expect(processesOfRun(run.id)).toEqual([])
    expect(filesWith(join(home, 'reeve'), KEY), 'the key is nowhere on the disk').toEqual([])
    expect(ended.stdout).not.toContain(KEY)
    await verified(project, run.id, reeve, env)
  } finally {
    await server.close()
  }
}

async function verified(project: string, run: string, reeve: ReturnType<typeof reeveFor>, env: Readonly<Record<string, string>>) {
  const outcome = await reeve(['verify', run], { env })
  expect(outcome.exitCode, outcome.text).toBe(0)
  expect(git(project, 'status', '--porcelain')).toBe('')
}

// `npm test` plays one of them; `npm run real` all.
for (const cli of CLIS.filter((it) => WHOLE || it === 'claude')) {
  const itReal = itNeeds(`the real ${cli}`, 'bubblewrap', 'npm')
  itReal(`${cli}: direct, from the request to a verified commit`, () => succeeds(cli, 'direct'))
  if (!WHOLE) continue
  itReal(`${cli}: build, with a first attempt that the gates refuse`, () => succeeds(cli, 'build'))
  if (cli === 'gemini' || cli === 'opencode') itReal(`${cli}: build, by the Agent Client Protocol`, () => succeeds(cli, 'build', 'acp'))
}
