/**
 * 8 runs in 2 processes that share a limit of 4 requests at once and 30 in a minute, with the real minute: what the server's own log says.
 * Run: node test/perf/shared-limits.ts     takes two minutes; ends with 1 where a limit was exceeded
 * The same with a short minute is a test: test/scenarios/shared-limits.test.ts.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { RunView } from '../../src/core/run.ts'
import { startScriptedServer } from '../../src/models/scripted-server/server.ts'
import { mostAtOnce, mostWithin } from '../scenarios/server-log.ts'
import { fixtureProject } from '../support/fixture-project.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const [PROCESSES, RUNS, AT_ONCE, A_MINUTE] = [2, 4, 4, 30]

function reeve(project: string, home: string, tasks: string): Promise<{ code: number | null; out: string }> {
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    REEVE_HOME: join(home, 'reeve'),
    REEVE_FOREGROUND: '1',
    REEVE_SANDBOX__MINIMUM: 'guarded',
  }
  const args = ['--disable-warning=ExperimentalWarning', MAIN, 'run', '--file', tasks, '--json', '--trust']
  const child = spawn(process.execPath, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (it: Buffer) => (out += it.toString()))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out })))
}

/** Each run asks seven times: 56 requests, nearly two minutes' worth. */
function steps(id: string) {
  const files = ['README.md', 'package.json', 'reeve.toml', 'src/ranges.js', 'test/ranges.test.js']
  return [...files.map((read) => ({ read })), { write: { path: `docs/${id}.md`, content: `# ${id}\n` } }, { say: 'Done.' }]
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'reeve-limits-')))
const ids = Array.from({ length: PROCESSES * RUNS }, (_, at) => `page-${at + 1}`)
const server = await startScriptedServer({
  scenes: ids.map((id) => ({ when: `Write ${id}\\.`, steps: steps(id) })),
  behaviour: { delay_ms: 700 },
})
try {
  const config = `[runs]
workflow = "direct"
max_attempts = 1
max_concurrent = 8
[providers.shared]
kind = "openai-compatible"
base_url = "${server.url}/v1"
model = "m"
priority = 1
account = "ours"
max_concurrent = ${AT_ONCE}
requests_per_minute = ${A_MINUTE}
`
  const project = fixtureProject('node-test', { outside: folder, files: { 'reeve.toml': config } })
  const home = join(folder, 'home')
  mkdirSync(home)
  const files = Array.from({ length: PROCESSES }, (_, at) => {
    const file = join(home, `tasks-${at}.yaml`)
    const own = ids.slice(at * RUNS, (at + 1) * RUNS)
    writeFileSync(
      file,
      JSON.stringify(own.map((id) => ({ id, title: `Write ${id}`, description: `Write ${id}.`, kind: 'docs', provider: 'shared' }))),
    )
    return file
  })
  const began = performance.now()
  const ended = await Promise.all(files.map((it) => reeve(project, home, it)))
  const seconds = Math.round((performance.now() - began) / 1000)
  const views = ended.flatMap(({ out }) =>
    out
      .split('\n')
      .filter((line) => line.includes('"steps"'))
      .map((line) => JSON.parse(line) as RunView),
  )
  const asked = server.log.filter((it) => it.number > 0)
  const [atOnce, aMinute] = [mostAtOnce(asked), mostWithin(asked, 60_000)]
  console.log(`runs: ${views.map((it) => `${it.task.id} ${it.status}${it.status === 'succeeded' ? '' : ` (${it.message})`}`).join(', ')}`)
  console.log(
    `${asked.length} requests in ${seconds} s; at once at most ${atOnce} of ${AT_ONCE}, in any 60 s at most ${aMinute} of ${A_MINUTE}`,
  )
  const shared = views.every(
    (it) => it.status === 'succeeded' && it.steps.every((step) => step.kind !== 'agent' || step.provider === 'shared'),
  )
  process.exitCode = atOnce <= AT_ONCE && aMinute <= A_MINUTE && views.length === ids.length && shared ? 0 : 1
} finally {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
}
