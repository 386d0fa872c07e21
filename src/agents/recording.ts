import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../core/json.ts'
import type { FileSettings } from '../core/settings.ts'
import { type AgentExchange, askedOf, type Cassette } from '../models/recording/cassette.ts'
import type { Recorder } from '../models/recording/recorder.ts'
import { classNow } from '../models/recording/replay.ts'
import { deleteFileIn, readFileIn, writeFileIn } from '../workspace/paths.ts'
import type { Workspace } from '../workspace/port.ts'
import { list, refusedIn } from './cli/tree-guard.ts'
import type { Agent, AgentEvent, AgentRequest, AgentResult } from './port.ts'

/** What is larger is no source: it is recorded as removed. */
const MAX_FILE_BYTES = 10 * 1024 * 1024

/** An agent that is a program of its own, whose every step is written down: what it told, and what it changed. */
export function recordedAgent(agent: Agent, recorder: Recorder): Agent {
  return {
    ...agent,
    async run(request) {
      const events: Json[] = []
      const tree = await request.workspace.treeHash()
      const before = await contents(request.workspace)
      const result = await agent.run({
        ...request,
        emit(event) {
          events.push(plain(event))
          request.emit(event)
        },
      })
      const files = changed(before, await contents(request.workspace, before.keys()))
      const { run, task, step, attempt } = request.origin
      await recorder.write({
        kind: 'agent',
        at: recorder.clock.now(),
        provider: agent.provider,
        model: agent.model,
        origin: { run, task, step, attempt, role: request.role.name },
        goal: request.goal,
        asked: askedOf(request.goal),
        events,
        result: plain(result),
        trees: { before: tree, after: await request.workspace.treeHash() },
        files,
      })
      return result
    },
  }
}

/**
 * Does what was done in a recorded run: a step of an agent that was a program of its own is put into the files again; all others are given
 * to `loop`, which has its answers from the same recording.
 */
export function replayAgent(name: string, cassette: Cassette, rules: FileSettings, loop: (request: AgentRequest) => Promise<Agent>): Agent {
  return {
    provider: name,
    model: 'recording',
    async run(request) {
      const exchange = cassette.agent(request.origin)
      return exchange === null ? (await loop(request)).run(request) : again(exchange, request, rules)
    },
  }
}

async function again(exchange: AgentExchange, request: AgentRequest, rules: FileSettings): Promise<AgentResult> {
  const { workspace } = request
  const paths = exchange.files.map((it) => it.path)
  const refused = refusedIn(paths, request, rules)
  const emit = (event: AgentEvent) => request.emit(event)
  if (exchange.asked !== askedOf(request.goal)) emit(differs('was asked something else'))
  for (const event of exchange.events) emit(unpaid(event as unknown as AgentEvent))
  // Anybody may have written the recording, or the rules were others then.
  if (refused.length > 0)
    emit({ type: 'noticed', level: 'warning', text: `The role "${request.role.name}" may not change ${list(refused)}: left out.` })
  for (const { path, content, executable } of exchange.files) {
    if (refused.includes(path)) continue
    if (content === null) await deleteFileIn(workspace.path, path, { missing: 'ok' })
    else await writeFileIn(workspace.path, path, Buffer.from(content, 'base64'), executable ? { mode: 0o755 } : {})
  }
  const result = exchange.result as unknown as AgentResult
  return { ...result, class: result.class === null ? null : classNow(result.class), cost: 0, retryAt: null, session: null }
}

/** What is replayed in a place that is not the recorded one. */
export function differs(what: string): AgentEvent {
  return { type: 'noticed', level: 'warning', text: `The recorded step ${what}; its answer is given all the same.` }
}

function unpaid(event: AgentEvent): AgentEvent {
  return event.type === 'used' ? { ...event, cost: 0 } : event
}

type Contents = ReadonlyMap<string, { content: string | null; executable: boolean }>

/** Every file that is not as in the base, and these others, as they are now. */
async function contents(workspace: Workspace, others: Iterable<string> = []): Promise<Contents> {
  const paths = new Set([...others, ...(await workspace.changes()).map((it) => it.path)])
  const found = await Promise.all(
    [...paths].map(async (path) => {
      const stats = await lstat(join(workspace.path, path)).catch(() => null)
      const bytes = stats?.isFile() ? await readFileIn(workspace.path, path, MAX_FILE_BYTES).catch(() => null) : null
      const content = bytes === null ? null : Buffer.from(bytes).toString('base64')
      return [path, { content, executable: ((stats?.mode ?? 0) & 0o100) !== 0 }] as const
    }),
  )
  return new Map(found)
}

function changed(before: Contents, after: Contents): AgentExchange['files'] {
  return [...after].flatMap(([path, is]) => {
    const was = before.get(path)
    return was?.content === is.content && was.executable === is.executable ? [] : [{ path, ...is }]
  })
}

function plain(value: unknown): Json {
  return structuredClone(value) as Json
}
