import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import { loadProject, noteTask } from '../perf/server/project.ts'
import { temporaryFolder } from '../support/folder.ts'
import { processesOfRun } from '../support/processes.ts'
import { git } from '../support/repository.ts'
import { type Server, startServer } from '../support/server.ts'
import { allRuns, type Load, startLoad } from './daemon-load.ts'

// The record is made with REEVE_KILLS=50.
const KILLS = Number(process.env['REEVE_KILLS'] ?? 3)
// Each run has finished a step between two deaths, or is not likely not to have: five in a row without one end it.
const STEPS_BETWEEN = 6

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

it(`loses nothing and doubles nothing when the daemon is killed ${KILLS} times under load`, {
  timeout: 60_000 + KILLS * 20_000,
}, async () => {
  const outside = temporaryFolder('reeve-kills-')
  const home = join(outside, 'home')
  const project = loadProject({ outside: join(outside, 'project') })
  const start = () => startServer(home, { env: { REEVE_DAEMON__REQUESTS_PER_MINUTE: '1000000', REEVE_QUEUE__MAX_CONCURRENT: '4' } })
  let server: Server = await start()
  onTestFinished(() => server.kill())
  const load = startLoad({ home, body: (key) => ({ ...noteTask(project, key), key: undefined }), clients: 3, open: 2 })
  for (let kills = 0; kills < KILLS; kills++) {
    const before = load.finishedSteps()
    while (load.finishedSteps() < before + STEPS_BETWEEN) {
      if (server.child.exitCode !== null) throw new Error(`The daemon ended by itself:\n${server.said()}`)
      await pause(5)
    }
    await pause(Math.random() * 300)
    await server.kill()
    server = await start()
  }
  await load.finish()
  await load.leave()

  const runs = await allRuns(home)
  expectOneRunEach(load, runs)
  expect(load.cuts(), 'readers that were cut').toBeGreaterThanOrEqual(KILLS)
  for (const [run, seqs] of load.seen) expect(seqs, `what the reader of ${run} saw`).toEqual(seqs.map((_, at) => at + 1))
  const positions = load.all.map((it) => it.position)
  expect(positions, 'events of all runs come in their order, each once').toEqual([...new Set(positions)].toSorted((a, b) => a - b))
  const written = [...load.seen].flatMap(([run, seqs]) => seqs.map((seq) => `${run}/${seq}`))
  expect(load.all.map((it) => it.event).toSorted(), 'the reader of all runs saw what the readers of each saw').toEqual(written.toSorted())

  expect(await server.stop(), server.said()).toBe(0)
  await expectKeptOnce(home, project, load, runs)
  expect(processesIn(outside), 'processes that are left').toEqual([])
  console.log(`${KILLS} kills, ${runs.length} runs, ${written.length} events, ${load.cuts()} cuts of readers`)
})

function expectOneRunEach(load: Load, runs: Awaited<ReturnType<typeof allRuns>>): void {
  for (const [key, ids] of load.answered) expect([...ids], `runs that were answered to ${key}`).toHaveLength(1)
  const answered = [...load.answered.values()].flatMap((it) => [...it])
  expect(runs.map((it) => it.id).toSorted(), 'there is no run that nobody was told of, and none was lost').toEqual(answered.toSorted())
  expect(runs.map((it) => it.task.id).toSorted(), 'each submission is one run').toEqual([...load.answered.keys()].toSorted())
  expect(runs.filter((it) => it.status !== 'succeeded').map((it) => `${it.id} ${it.status}: ${it.message}`)).toEqual([])
}

/** Each step is in the journal once and was finished by one event; each run's work is one commit. */
async function expectKeptOnce(home: string, project: string, load: Load, runs: Awaited<ReturnType<typeof allRuns>>): Promise<void> {
  const store = await openStore(join(home, 'reeve/state'))
  onTestFinished(() => store.close())
  for (const { id, task } of runs) {
    const events = await store.events(id)
    expect(
      events.map((it) => it.seq),
      id,
    ).toEqual(load.seen.get(id))
    expect(
      events.filter((it) => it.type === 'run.finished'),
      id,
    ).toHaveLength(1)
    // Messages of people are taken by a step without an event of its own.
    const kept = (await store.steps(id)).map((it) => it.name).filter((it) => !it.endsWith('/messages'))
    const finished = events.filter((it) => it.type === 'step.finished').map((it) => String(it.data['step']))
    expect(finished.toSorted(), `steps of ${id} that were finished`).toEqual(kept.toSorted())
    expect(new Set(finished).size, `steps of ${id}`).toBe(finished.length)
    expect(git(project, 'rev-list', '--count', `main..auto/implementer/${task.id}`).trim(), `commits of ${id}`).toBe('1')
    expect(processesOfRun(id), `processes of ${id}`).toEqual([])
  }
}

/** Processes whose environment names this folder, as `pid command`. */
function processesIn(folder: string): string[] {
  if (process.platform !== 'linux') return []
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1')
    } catch {
      return '' // gone, or somebody else's
    }
  }
  const pids = readdirSync('/proc').filter((it) => /^\d+$/.test(it) && read(it, 'environ').includes(folder))
  return pids.map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ')}`)
}
