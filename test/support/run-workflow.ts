import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Agent, AgentRequest, AgentResult } from '../../src/agents/port.ts'
import { loadRoles } from '../../src/agents/roles.ts'
import { createRouter } from '../../src/agents/router/router.ts'
import { systemClock } from '../../src/core/clock.ts'
import { ReeveError } from '../../src/core/errors.ts'
import type { RunEvent } from '../../src/core/event.ts'
import { type Settings, settingsSchema } from '../../src/core/settings.ts'
import { type Task, taskSchema } from '../../src/core/task.ts'
import type { Verdict } from '../../src/core/verdict.ts'
import { createEngine } from '../../src/engine/engine.ts'
import type { RunEnd } from '../../src/engine/port.ts'
import type { JudgeRequest } from '../../src/gates/port.ts'
import { noSandbox } from '../../src/sandbox/unconfined.ts'
import type { Job } from '../../src/steps/job.ts'
import type { Kit } from '../../src/steps/kit.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import type { RunRow } from '../../src/store/port.ts'
import { createBuild } from '../../src/workflows/build.ts'
import { createDirect } from '../../src/workflows/direct.ts'
import { workflow } from '../../src/workflows/workflow.ts'
import { temporaryFolder } from './folder.ts'
import { git } from './repository.ts'

export interface Scene {
  repository: string
  /** `toy`: the one of `body`. */
  workflow: 'build' | 'direct' | 'toy'
  body?: (job: Job) => Promise<RunEnd | Verdict>
  settings?: object
  task?: object
  /** Makes real agents; `reply` is then not called. */
  agent?: Kit['agent']
  /** Called for each agent step; the agent's provider is the second argument. */
  reply: (request: AgentRequest, provider: string) => Promise<Partial<AgentResult>> | Partial<AgentResult>
  /** Called for each gate step, in order. */
  judge: (request: JudgeRequest, number: number) => Verdict | Promise<Verdict>
  redact?: Kit['redact']
  /** Called when an agent has answered, before its step ends. */
  afterAgent?: (store: Store, run: string, signal: AbortSignal) => Promise<void>
}

export interface Played {
  row: RunRow
  events: RunEvent[]
  /** Agent steps in order: role, step, goal. */
  asked: { role: string; step: string; goal: string; provider: string; protectedPaths: readonly string[] }[]
  store: Store
  kit: Kit
  settings: Settings
  /** Works on until the run ends or waits again. */
  again: () => Promise<RunRow>
  types: (type: string) => RunEvent[]
}

/** Runs a workflow with the real engine, store and git; agents and gates are what the scene says. */
export async function play(scene: Scene): Promise<Played> {
  const home = temporaryFolder()
  const store = await openStore(join(home, 'state'))
  onTestFinished(() => store.close())
  const asked: Played['asked'] = []
  let judged = 0
  const agent = (provider: string): Agent => ({
    provider,
    model: 'pretended',
    run: async (request) => {
      asked.push({
        role: request.role.name,
        step: request.origin.step,
        goal: request.goal,
        provider,
        protectedPaths: request.protectedPaths,
      })
      const result = await scene.reply(request, provider)
      await scene.afterAgent?.(store, request.origin.run, request.signal)
      return { ...RESULT, ...result }
    },
  })
  const kit: Kit = {
    clock: systemClock,
    dataDir: join(home, 'data'),
    cacheDir: join(home, 'cache'),
    evidenceDir: join(home, 'evidence'),
    judge: (request) => Promise.resolve(scene.judge(request, judged++)),
    agent:
      scene.agent ??
      (async (provider, settings) => {
        if (settings.providers[provider]?.model === 'no-key') throw new ReeveError('provider_key_missing', { provider, variable: 'KEY' })
        return agent(provider)
      }),
    inspect: () => Promise.reject(new Error('nobody looks at providers here')),
    router: createRouter({ shared: async () => store.routing, clock: systemClock, env: {} }),
    roles: () => loadRoles({ templatesDir: new URL('../../templates', import.meta.url).pathname }),
    sandbox: () => Promise.resolve({ ...noSandbox, report: { ...noSandbox.report, level: 'os-sandbox' } }),
    env: {},
    home,
    redact: scene.redact ?? ((text) => text),
    version: '0.0.0-test',
  }
  const settings: Settings = settingsSchema.parse({
    providers: { order: ['one'], one: { kind: 'scripted', file: 'x' } },
    ...scene.settings,
  })
  const task: Task = taskSchema.parse({ id: 'change-it', title: 'Change it', description: 'Change the file.', ...scene.task })
  const { row } = await store.submit({
    task,
    project: scene.repository,
    workflow: scene.workflow,
    options: { settings, base: git(scene.repository, 'rev-parse', 'HEAD'), actor: 'ada', timeoutMs: 120_000 } as never,
  })
  const toy = scene.body === undefined ? {} : { toy: workflow(kit, scene.body) }
  const engine = createEngine({ store, workflows: { build: createBuild(kit), direct: createDirect(kit), ...toy } })
  onTestFinished(() => engine.stop())
  await engine.start()
  const again = () => engine.waitFor(row.id, AbortSignal.timeout(50_000))
  const ended = await again()
  const played: Played = {
    row: ended,
    events: [],
    asked,
    store,
    kit,
    settings,
    again,
    types: (type) => played.events.filter((it) => it.type === type),
  }
  played.events = await store.events(row.id, 0, 1000)
  return played
}

const RESULT: AgentResult = {
  status: 'completed',
  text: 'Done.',
  output: null,
  problem: '',
  class: null,
  retryAt: null,
  usage: { inputTokens: 100, outputTokens: 10, cachedInputTokens: 0, requests: 1 },
  cost: 0.01,
  steps: 1,
}

/** A verdict with one tests gate. */
export function verdict(status: Verdict['status'], parts: Partial<Verdict> = {}): Verdict {
  const failed = status === 'failed'
  return {
    status,
    score: failed ? 0 : 1,
    summary: failed ? '1 test fails: adds' : '1 gate passed',
    tree: null,
    base: null,
    changedCoverage: null,
    redProof: { status: 'not_run', reason: 'not asked', files: [], red: [], vacuous: [] },
    gates: [
      {
        name: 'tests',
        status,
        command: 'npm test',
        cwd: '.',
        reason: 'package.json',
        durationMs: 1,
        exitCode: failed ? 1 : 0,
        findings: failed
          ? [{ file: 'a.test.js', line: 1, severity: 'error', rule: 'adds', message: 'expected 3, got 4', attribution: 'introduced' }]
          : [],
        tests: { total: 1, passed: failed ? 0 : 1, failed: failed ? 1 : 0, skipped: 0 },
        base: null,
        outputTail: '',
      },
    ],
    ...parts,
  }
}
