/**
 * What becomes of a run when its provider fails: each real CLI agent and each kind of model API against a server on loopback that fails in each
 * way, with the settings that reeve has by itself, and a second provider. Writes docs/reference/provider-failures.md. Takes ten minutes.
 * Run: npm run failures                 all
 *      npm run failures -- claude quota only those whose provider or failure is named; the page keeps the others
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { RunEvent } from '../../src/core/event.ts'
import type { Fault } from '../../src/models/scripted-server/script.ts'
import { startScriptedServer } from '../../src/models/scripted-server/server.ts'
import { goodDirect, RANGES } from '../scenarios/cases.ts'
import { fixtureProject } from '../support/fixture-project.ts'
import { writeFiles } from '../support/folder.ts'
import { hasTools, TOOL_SETS } from '../support/tools.ts'
import { searchPath } from './search-path.ts'

/** What was measured last, for the page. */
const KEPT = join(import.meta.dirname, '../../.cache/provider-failures.json')
const PAGE = join(import.meta.dirname, '../../docs/reference/provider-failures.md')
const MAIN = join(import.meta.dirname, '../../src/main.ts')
const KEY = 'sk-scripted-0123456789abcdef'
/** More would slow each other down on two cores. */
const AT_ONCE = 3

const CLIS = Object.entries(TOOL_SETS.agents.programs)
const APIS = ['anthropic', 'openai', 'google', 'openai-compatible', 'ollama']
const FAILURES: readonly (readonly [name: string, what: string, fault: Fault | 'down'])[] = [
  ['server down', 'nobody listens at the address', 'down'],
  ['401', 'the key is refused', 'auth'],
  ['429', 'too many requests, `retry-after: 2`', 'rate_limited'],
  ['quota', '429 that says that the account is used up', 'quota'],
  ['500', 'internal server error', 'server'],
  ['overloaded', '529, or 503 where the API has no such status', 'overloaded'],
  [
    'no answer',
    'the connection stays open, nothing comes. A local engine reads a long prompt before it says a word: it is given 300 s, `first_byte_timeout_seconds`',
    'stall',
  ],
  ['stalled stream', 'the answer begins and stops', 'stall_in_stream'],
  ['malformed', 'a stream that is none', 'malformed'],
  ['cut', 'the connection ends in the middle of the answer', 'cut'],
  ['refusal', 'the model declines. An API that has no word for it gives its words as an answer: then the gates find no change', 'refusal'],
  ['too long', 'the prompt does not fit into the context', 'context_too_long'],
  ['no such model', '404', 'not_found'],
]

interface Measured {
  provider: string
  failure: string
  class: string
  seconds: number | null
  took: string
  status: string
}

/** One run with a first provider that fails so, and a second that works. */
async function measure(kind: string, failure: string, fault: Fault | 'down'): Promise<Measured> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'reeve-failures-')))
  const server = await startScriptedServer({
    steps: [{ read: RANGES.file }, { say: 'Done.' }],
    ...(fault === 'down' ? {} : { behaviour: { fault } }),
    models: ['scripted-model'],
  })
  try {
    if (fault === 'down') await server.close()
    const project = fixtureProject(RANGES.fixture, {
      outside: folder,
      replies: goodDirect(RANGES),
      files: { 'reeve.toml': '[runs]\nworkflow = "direct"\n[gates.coverage]\nenabled = false\n' },
    })
    const address = ['openai', 'openai-compatible', 'anthropic'].includes(kind) ? `${server.url}/v1` : server.url
    writeFiles(folder, {
      'home/reeve/config/config.toml': `[providers]
order = ["first", "second"]
[providers.first]
kind = "${kind}"
model = "scripted-model"
base_url = "${kind === 'google' ? `${address}/v1beta` : address}"
api_key_env = "SCRIPTED_API_KEY"
${kind === 'openai-compatible' ? 'dialect = "generic" # it answers as Ollama does, too\n' : ''}[providers.second]
kind = "scripted"
file = ${JSON.stringify(join(folder, 'replies.yaml'))}
`,
      'home/task.yaml': JSON.stringify(RANGES.task),
    })
    const events = await runReeve(project, join(folder, 'home'))
    const chosen = events.filter((it) => it.type === 'provider.chosen')
    const failed = events.find((it) => it.type === 'provider.failed')
    const next = chosen.find((it) => it.data['provider'] !== 'first')
    const end = events.findLast((it) => it.type === 'run.finished' || it.type === 'run.waiting')
    const text = (value: unknown) => (typeof value === 'string' ? value : 'none')
    return {
      provider: kind,
      failure,
      class: text(failed?.data['class']),
      seconds: next && chosen[0] ? (next.ts - chosen[0].ts) / 1000 : null,
      took: text(next?.data['provider']),
      status: text(end?.data['status'] ?? end?.data['reason']),
    }
  } finally {
    if (fault !== 'down') await server.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function runReeve(project: string, home: string): Promise<RunEvent[]> {
  mkdirSync(join(home, 'user'), { recursive: true })
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, 'run', '--file', join(home, 'task.yaml'), '--json'],
    {
      cwd: project,
      env: {
        PATH: `${dirname(process.execPath)}:${searchPath()}`,
        HOME: join(home, 'user'),
        REEVE_HOME: join(home, 'reeve'),
        REEVE_FOREGROUND: '1',
        LANG: 'C.UTF-8',
        GIT_CONFIG_NOSYSTEM: '1',
        SCRIPTED_API_KEY: KEY,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const timer = setTimeout(() => child.kill('SIGKILL'), 450_000)
  const [out, said] = await Promise.all([textOf(child.stdout), textOf(child.stderr)])
  clearTimeout(timer)
  const lines = out.split('\n').filter((it) => it.startsWith('{'))
  if (lines.length === 0) throw new Error(`reeve said nothing but: ${said.slice(0, 2000)}`)
  return lines.map((it) => JSON.parse(it) as RunEvent).filter((it) => typeof it.seq === 'number')
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const piece of stream) text += String(piece)
  return text
}

/** It is waited for longer: see the failure. */
function isLocal({ provider, failure }: Measured): boolean {
  return provider === 'ollama' && failure === 'no answer'
}

function page(all: readonly Measured[]): string {
  const providers = [...new Set(all.map((it) => it.provider))]
  const cell = (provider: string, failure: string) => {
    const it = all.find((one) => one.provider === provider && one.failure === failure)
    return it === undefined
      ? ''
      : `${it.class === 'none' ? 'no change,' : it.class} ${it.seconds === null ? 'none took over' : `${it.seconds.toFixed(1)} s`}`
  }
  const versions = CLIS.map(([name, { version }]) => `${name} ${version}`).join(', ')
  const slowest = all.filter((it) => !isLocal(it)).toSorted((a, b) => (b.seconds ?? Infinity) - (a.seconds ?? Infinity))[0]
  return `# When a provider fails

<!-- Made by npm run failures; measured, not written. -->

What reeve takes each failure for, and how long it was from the choice of the provider until the next one was at work, with the settings that it has by
itself. Every kind of provider was tried against a server of ours that fails in this way each time; a second provider then took the step over and
brought the run to its end. The CLI agents are the real ones (${versions}), held by the sandbox of the
operating system. Their start is in it, on a machine of two cores that had much else to do: opencode alone took ten seconds to start there.
The longest, but for a local engine without an answer, was ${slowest?.seconds?.toFixed(1) ?? '?'} s (${slowest?.provider}, ${slowest?.failure}).

| failure | ${providers.join(' | ')} |
|---|${providers.map(() => '---|').join('')}
${FAILURES.map(([name]) => `| ${name} | ${providers.map((it) => cell(it, name)).join(' | ')} |`).join('\n')}

${FAILURES.map(([name, what]) => `- **${name}**: ${what}.`).join('\n')}

How long a provider is waited for: \`idle_timeout_seconds\`, \`first_byte_timeout_seconds\`, \`give_up_seconds\`, \`max_retries\` of
[its settings](configuration.md). What follows from a class: [troubleshooting](../guides/troubleshooting.md).
`
}

const wanted = process.argv.slice(2)
if (!hasTools('agents')) throw new Error('The real agents are not here: node scripts/install-tools.ts agents')
const kinds = [...CLIS.map(([name]) => name), ...APIS]
const named = (name: string, all: readonly string[]) => !wanted.some((it) => all.includes(it)) || wanted.includes(name)
const names = FAILURES.map(([name]) => name)
const cases = kinds
  .filter((it) => named(it, kinds))
  .flatMap((kind) => FAILURES.filter(([name]) => named(name, names)).map(([name, , fault]) => ({ kind, name, fault })))
const measured: Measured[] = []
const waiting = [...cases]
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let it = waiting.shift(); it !== undefined; it = waiting.shift()) {
      const one = await measure(it.kind, it.name, it.fault)
      measured.push(one)
      console.log(`${one.provider}, ${one.failure}: ${one.class}, ${one.seconds?.toFixed(1) ?? '?'} s, then ${one.took}: ${one.status}`)
    }
  }),
)
const bad = measured.filter((it) => it.status !== 'succeeded' || it.seconds === null || (it.seconds >= 60 && !isLocal(it)))
for (const it of bad) console.log(`Not as it should be: ${JSON.stringify(it)}`)
const before = wanted.length > 0 && existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, 'utf8')) as Measured[]) : []
const isNew = (it: Measured) => measured.some((one) => one.provider === it.provider && one.failure === it.failure)
const all = [...before.filter((it) => !isNew(it)), ...measured].toSorted((a, b) => kinds.indexOf(a.provider) - kinds.indexOf(b.provider))
writeFileSync(KEPT, JSON.stringify(all))
if (all.length === kinds.length * FAILURES.length) writeFileSync(PAGE, page(all))
process.exitCode = bad.length === 0 ? 0 : 1
