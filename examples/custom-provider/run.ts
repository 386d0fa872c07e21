/** A run through a provider of one's own, checked from the outside. Exits non-zero when anything is not as promised. Run: node examples/custom-provider/run.ts */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Question, startGateway } from './server.ts'

const HERE = import.meta.dirname
const REEVE = join(HERE, '../../src/main.ts')
const KEY = 'team-key-0123456789abcdef'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'custom-provider-')))
const project = join(folder, 'project')
// The code of this example is ours: it may run where there is no sandbox of the operating system.
const env = {
  ...process.env,
  REEVE_HOME: join(folder, 'state'),
  REEVE_FOREGROUND: '1',
  REEVE_SANDBOX__MINIMUM: 'guarded',
  TEAM_GATEWAY_KEY: KEY,
}

async function start(program: string, args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(program, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, text: text.trim() }
}

async function git(...args: string[]): Promise<string> {
  const { code, text } = await start('git', [
    '-c',
    'user.name=You',
    '-c',
    'user.email=you@example.invalid',
    '-c',
    'commit.gpgsign=false',
    ...args,
  ])
  assert.equal(code, 0, text)
  return text
}

const reeve = (...args: string[]) => start(process.execPath, ['--disable-warning=ExperimentalWarning', REEVE, ...args])

function check(what: string, fn: () => void): void {
  fn()
  console.log(`ok  ${what}`)
}

const TEST =
  "import assert from 'node:assert/strict'\nimport { test } from 'node:test'\nimport { greeting } from '../src/greeting.js'\n\ntest('greets the world when nobody is named', () => assert.equal(greeting(), 'Hello, world!'))\n"

/** What the model behind the gateway does, turn by turn. */
const TURNS = [
  [{ say: 'A test first.' }, { do: 'write_file', with: { path: 'test/world.test.js', content: TEST } }],
  [{ do: 'edit_file', with: { path: 'src/greeting.js', old: 'greeting(name)', new: "greeting(name = 'world')" } }],
  [{ say: 'Done: without a name the world is greeted.' }],
]

const asked: Question[] = []
const gateway = await startGateway((body) => {
  asked.push(body)
  const turn = body.messages.filter((it) => it.role === 'assistant').length
  return { lines: [...(TURNS[turn] ?? TURNS.at(-1) ?? []), { read: 100, wrote: 20 }] }
})

try {
  cpSync(join(HERE, 'project'), project, { recursive: true })
  const module = join(HERE, 'gateway.mjs')
  const settings = `[providers]\norder = ["gateway"]\n\n[providers.gateway]\nkind = "plugin"\nmodule = ${JSON.stringify(module)}\nbase_url = "${gateway.url}"\nmodel = "team/large"\napi_key_env = "TEAM_GATEWAY_KEY"\nprice = { input = 1, output = 5 }\n`
  writeFileSync(join(project, 'reeve.toml'), settings)
  await git('init', '-q', '-b', 'main')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'First commit')

  const task = 'Greet the world when nobody is named'
  const refused = await reeve('run', task, '--workflow', 'direct')
  check('a project that names a module is not trusted unasked', () => {
    assert.equal(refused.code, 3, refused.text)
    assert.match(refused.text, /loads the module ".*gateway\.mjs" into reeve itself/)
  })
  const ran = await reeve('run', task, '--workflow', 'direct', '--trust')
  check('reeve takes the task to a green verdict through the plug-in', () => assert.equal(ran.code, 0, ran.text))
  const promises = await start(process.execPath, ['--test', join(HERE, 'gateway.test.mjs')])
  check('the plug-in keeps what every provider promises', () => assert.equal(promises.code, 0, promises.text))
  const { text } = await reeve('show', 'last', '--json')
  const run = JSON.parse(text) as { branch: string; usage: { requests: number; inputTokens: number }; cost: number }
  check('every request is counted and priced', () => {
    assert.deepEqual(
      { requests: run.usage.requests, inputTokens: run.usage.inputTokens },
      { requests: asked.length, inputTokens: 100 * asked.length },
    )
    assert.ok(Math.abs(run.cost - asked.length * (100 * 1e-6 + 20 * 5e-6)) < 1e-9, String(run.cost))
  })
  const changed = await git('diff', '--name-only', 'main', run.branch)
  check('the branch holds the change and its test', () => assert.deepEqual(changed.split('\n'), ['src/greeting.js', 'test/world.test.js']))
  const events = await reeve('logs', 'last', '--json')
  check('the key is in no event', () => assert.ok(!events.text.includes(KEY)))
} finally {
  gateway.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
