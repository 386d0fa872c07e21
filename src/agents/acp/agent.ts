import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RequestError } from '@agentclientprotocol/sdk'
import { problemOf } from '../../core/errors.ts'
import type { ProviderSettings } from '../../core/settings.ts'
import { accessOf, passedSecrets } from '../cli/access.ts'
import { endOf, KEEP_BYTES, SPARE_MS } from '../cli/agent.ts'
import { commandAdapter } from '../cli/command.ts'
import type { CliDeps } from '../cli/deps.ts'
import { type Fields, fieldsAt, textAt } from '../cli/line.ts'
import type { Ended, Play } from '../cli/play.ts'
import type { CliAdapter } from '../cli/port.ts'
import { workBy } from '../cli/work.ts'
import type { Agent } from '../port.ts'
import { answerPermission } from './permissions.ts'
import { type Session, speak, WELL } from './session.ts'
import { messagesOver } from './stream.ts'
import { errorEvent, readUpdates } from './updates.ts'

/** A cancelled turn is answered within a third of a second; who does not is ended. */
const CANCEL_MS = 1000

/**
 * An agent that speaks the Agent Client Protocol: a program that lives as long as the step, with the same home, sandbox, watch and result as one
 * that is started for its prompt. Throws `provider_key_missing`.
 */
export function createAcpAgent(deps: CliDeps): Agent {
  accessOf(deps)
  passedSecrets(deps)
  return {
    provider: deps.name,
    model: deps.settings.model ?? basename(deps.program.path),
    run: (request) => workBy(converse, deps, request, 'nothing'),
  }
}

/**
 * The adapter of an agent that is known by its settings only: `binary` and `args` start it. With a `base_url` it is told that address, and a
 * key, by the variables that most programs know.
 */
export function acpAdapter(settings: ProviderSettings): CliAdapter {
  const { quirks: _, ...plain } = commandAdapter(settings)
  return {
    ...plain,
    binary: basename(settings.binary ?? 'agent'),
    session: 'theirs',
    acp: { args: [] },
    command: (request) => ({ ...plain.command(request), args: [], input: null }),
    reader: () => ({ line: () => [], exited: () => [] }),
  }
}

async function converse(play: Play): Promise<Ended> {
  const { deps, stage, request } = play
  const { adapter, settings } = deps
  const start = await stage.start({ prompt: play.prompt, session: stage.session, resume: request.session !== undefined })
  const { args = [], env, modelFlag } = adapter.acp ?? {}
  const model = modelFlag !== undefined && settings.model !== undefined ? [modelFlag, settings.model] : []
  const kill = new AbortController()
  const done = new AbortController()
  const told = { over: false }
  const result = await deps.runProgram({
    argv: [start.argv[0], ...args, ...model, ...settings.args],
    cwd: request.workspace.path,
    env: { ...start.env, ...env },
    run: request.origin.run,
    confinement: start.held.confinement,
    timeoutMs: request.limits.timeoutMs + SPARE_MS,
    keepBytes: KEEP_BYTES,
    signal: kill.signal,
    talk: async (streams) => {
      const { client } = await import('@agentclientprotocol/sdk')
      const updates = readUpdates()
      const session: Session = { id: '', loading: false }
      const app = client({ name: 'reeve' })
        .onNotification('session/update', asFields, ({ params }) => {
          if (!session.loading) for (const event of updates.update(fieldsAt(params, 'update'))) play.hear(event)
        })
        .onRequest('session/request_permission', asFields, ({ params }) => permission(params, play))
      try {
        await app.connectWith(
          messagesOver(streams, () => play.alive()),
          async (context) => {
            const stop = endOnAbort(play.signal, done.signal, kill, () => context.notify('session/cancel', { sessionId: session.id }))
            try {
              await speak(context, play, session, updates)
              told.over = true
            } finally {
              done.abort(new Error('over'))
              await stop
            }
          },
        )
      } catch (error) {
        const known = asRequestError(error)
        if (known === null) throw error
        told.over = true
        play.hear(errorEvent(known))
      }
    },
  })
  const ended = endOf(result)
  // The conversation was over: how the program then ended says nothing.
  return told.over ? { ...WELL, stderr: ended.stderr } : ended
}

function asFields(params: unknown): Fields {
  return params as Fields
}

function permission(params: Fields, play: Play) {
  const { allowed, answer } = answerPermission(params, play.request.role.permissions)
  const call = fieldsAt(params, 'toolCall')
  const target = textAt(call, 'locations.0.path') || textAt(call, 'title')
  if (!allowed) play.hear({ t: 'denied', tool: textAt(call, 'name') || textAt(call, 'kind') || 'tool', target })
  return answer
}

/** Asks the agent to end its turn when the step must end; ends it by force when it does not. */
async function endOnAbort(signal: AbortSignal, done: AbortSignal, kill: AbortController, cancel: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  done.addEventListener('abort', () => resolve(), { once: true })
  if (signal.aborted) resolve()
  await promise
  if (done.aborted) return
  await cancel().catch(() => undefined) // it has gone
  await delay(CANCEL_MS, undefined, { signal: done }).catch(() => undefined)
  if (!done.aborted) kill.abort(new Error(problemOf(signal.reason)))
}

function asRequestError(error: unknown): Pick<RequestError, 'code' | 'message' | 'data'> | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? (error as RequestError) : null
}
