import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentEvent, AgentRequest, AgentResult } from '../agents/port.ts'
import { providersOf } from '../config/secrets.ts'
import { ReeveError } from '../core/errors.ts'
import { roleSchema } from '../core/role.ts'
import type { ProviderSettings, Settings } from '../core/settings.ts'
import { type ScriptedServer, startScriptedServer } from '../models/scripted-server/server.ts'
import type { Project, Workspace } from '../workspace/port.ts'
import { inTrialWorkspace } from '../workspace/trial.ts'
import type { Context } from './context.ts'

export interface Trial {
  ok: boolean
  seconds: number
  model: string
  said: string
  problem: string
  class: string | null
  usage: AgentResult['usage']
  cost: AgentResult['cost']
  checks: { name: string; ok: boolean; detail: string }[]
}

const LIMIT_MS = 120_000
/** A module with a mistake, and the test that shows it. */
const FILES = {
  'sum.mjs': 'export const sum = (a, b) => a - b\n',
  'test.mjs':
    "import { sum } from './sum.mjs'\nif (sum(1, 2) !== 3) throw new Error('sum(1, 2) is ' + sum(1, 2))\nconsole.log('1 passed')\n",
}
const STEPS = [
  { read: 'sum.mjs' },
  { edit: { path: 'sum.mjs', old: 'a - b', new: 'a + b' } },
  { run: 'node test.mjs' },
  { say: 'DONE: sum.mjs adds now.' },
]

/** Asks the provider for one word: the smallest thing that shows that key, model and network are right. It is paid for. */
export async function tryOnline(context: Context, name: string, { project, settings }: Of, signal: AbortSignal): Promise<Trial> {
  return tryIn(context, name, { project, settings }, signal, {
    role: { name: 'trial', prompt: 'You answer in one word.', permissions: { write: 'none' } },
    goal: 'Answer with the single word OK. Do nothing else.',
    check: async (_workspace, { result }) => [
      { name: 'it answers', ok: result.status === 'completed' && result.text.trim() !== '', detail: result.text.trim().slice(0, 80) },
    ],
  })
}

/**
 * Lets the provider work for a scripted server on this machine instead of its own: shows that this version of the program, its flags, its output and
 * the sandbox fit together. Needs no key and no network.
 */
export async function tryOffline(context: Context, name: string, { project, settings }: Of, signal: AbortSignal): Promise<Trial> {
  const configured = providersOf(settings).find(([it]) => it === name)?.[1]
  if (!configured || !canBeLed(configured)) {
    throw new ReeveError('invalid_input', {
      problem: `Provider "${name}" (${configured?.kind ?? 'unknown'}) cannot be led to a server of this machine; without --offline it is asked itself.`,
    })
  }
  const model = configured.model ?? 'scripted-model'
  const server = await startScriptedServer({ steps: STEPS, models: [model] })
  try {
    // The user's own key and account have no part in it.
    const { api_key_file: _file, account: _account, ...plain } = configured
    const led: ProviderSettings = {
      ...plain,
      model,
      base_url: addressFor(configured, server),
      api_key_env: KEY,
      login: false,
      headers: {},
    }
    const env = { ...context.env, [KEY]: 'scripted-key' }
    const aside = { ...settings, providers: { ...settings.providers, [name]: led } }
    return await tryIn(context, name, { project, settings: aside }, signal, {
      role: { name: 'trial', prompt: 'You mend programs.', permissions: { write: 'all', run_commands: true } },
      goal: 'The function in sum.mjs is wrong. Mend it and run: node test.mjs',
      env,
      check: async (workspace, { result, events }) => [
        { name: 'it says that it is done', ok: result.status === 'completed', detail: result.problem || result.text.trim().slice(0, 80) },
        { name: 'it edits files', ok: (await textIn(workspace)).includes('a + b'), detail: 'sum.mjs' },
        { name: 'it runs commands', ok: server.log.some((it) => it.step === STEPS.length - 1) && ranTest(events), detail: 'node test.mjs' },
        {
          name: 'its usage is seen',
          ok: result.usage.inputTokens > 0,
          detail: `${result.usage.inputTokens} in, ${result.usage.outputTokens} out`,
        },
      ],
    })
  } finally {
    await server.close()
  }
}

const KEY = 'REEVE_SCRIPTED_KEY'
const ALONE: readonly ProviderSettings['kind'][] = ['scripted', 'replay', 'llamacpp', 'plugin', 'command', 'acp', 'cursor-agent']

/** Does it go where it is told to? */
function canBeLed({ kind }: ProviderSettings): boolean {
  return !ALONE.includes(kind)
}

/** Each kind puts other paths behind its base. */
function addressFor({ kind }: ProviderSettings, { url }: ScriptedServer): string {
  if (kind === 'google') return `${url}/v1beta`
  return ['anthropic', 'openai', 'openai-compatible'].includes(kind) ? `${url}/v1` : url
}

/** The user's own project: files that its settings name are there. */
interface Of {
  project: Project
  settings: Settings
}

interface Attempt {
  role: unknown
  goal: string
  env?: Context['env']
  check(workspace: Workspace, done: { result: AgentResult; events: AgentEvent[] }): Promise<Trial['checks']>
}

async function tryIn(context: Context, name: string, { project, settings }: Of, signal: AbortSignal, attempt: Attempt): Promise<Trial> {
  const sandbox = await context.kit.sandbox(settings)
  const keeping = { sandbox, registries: () => Promise.resolve({ hosts: [], files: [], readable: [] }) }
  return inTrialWorkspace({ files: FILES, keeping, signal }, async (workspace) => {
    // It is no run, whose recording somebody could replay.
    const unrecorded = { ...settings, runs: { ...settings.runs, record: false } }
    const agent = await context.kit.agent(name, unrecorded, project, attempt.env)
    const events: AgentEvent[] = []
    const began = performance.now()
    const result = await agent.run(requestFor(workspace, attempt, settings, signal, (event) => void events.push(event)))
    const seconds = (performance.now() - began) / 1000
    const checks = await attempt.check(workspace, { result, events })
    const { redact } = context.secrets
    const { usage, cost } = result
    const shown = checks.map((it) => ({ ...it, detail: redact(it.detail) }))
    const ok = result.status === 'completed' && checks.every((it) => it.ok)
    return {
      ok,
      seconds,
      model: agent.model,
      said: redact(result.text),
      problem: redact(result.problem),
      class: result.class,
      usage,
      cost,
      checks: shown,
    }
  })
}

function requestFor(
  workspace: Workspace,
  attempt: Attempt,
  { runs }: Settings,
  signal: AbortSignal,
  emit: AgentRequest['emit'],
): AgentRequest {
  return {
    role: roleSchema.parse(attempt.role),
    goal: attempt.goal,
    workspace,
    isTestFile: () => false,
    protectedPaths: [],
    limits: { steps: 10, tokens: null, usd: runs.max_step_usd ?? null, timeoutMs: LIMIT_MS, commandTimeoutMs: 30_000 },
    origin: { run: 'trial', task: 'trial', step: 'trial', attempt: 1 },
    signal,
    emit,
  }
}

function textIn(workspace: Workspace): Promise<string> {
  return readFile(join(workspace.path, 'sum.mjs'), 'utf8').catch(() => '')
}

function ranTest(events: readonly AgentEvent[]): boolean {
  return events.some((it) => it.type === 'acted' && it.ok && it.target.includes('node test.mjs'))
}
