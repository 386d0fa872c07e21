import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ClientContext, RequestError } from '@agentclientprotocol/sdk'
import { problemOf } from '../../core/errors.ts'
import type { ProviderSettings } from '../../core/settings.ts'
import { accessOf, passedSecrets } from '../cli/access.ts'
import { endOf, KEEP_BYTES, SPARE_MS } from '../cli/agent.ts'
import { commandAdapter } from '../cli/command.ts'
import type { CliDeps } from '../cli/deps.ts'
import { at, type Fields, fieldsAt, listAt, textAt } from '../cli/line.ts'
import type { Ended, Play } from '../cli/play.ts'
import type { CliAdapter } from '../cli/port.ts'
import { workBy } from '../cli/work.ts'
import type { Agent } from '../port.ts'
import { answerPermission } from './permissions.ts'
import { messagesOver } from './stream.ts'
import { errorEvent, readUpdates, type Updates } from './updates.ts'

/** A cancelled turn is answered within a third of a second; who does not is ended. */
const CANCEL_MS = 1000
const WELL: Ended = { code: 0, signal: null, stderr: '', broken: null }

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
      const session = { id: '', loading: false }
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

/** From the first word to the last answer. Rejects with what a request was answered with, or with the end of the program. */
async function speak(context: ClientContext, play: Play, session: { id: string; loading: boolean }, updates: Updates): Promise<void> {
  const ask = async (method: string, params: unknown) => await context.request<Fields>(method, params)
  const first = await ask('initialize', {
    protocolVersion: 1,
    clientInfo: { name: 'reeve', version: '1' },
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
  })
  await openSession(ask, play, session, first)
  play.hear({ t: 'started', session: session.id, version: textAt(first, 'agentInfo.version') })

  let prompt: string | null = play.prompt
  while (prompt !== null) {
    const response: Fields = await ask('session/prompt', { sessionId: session.id, prompt: [{ type: 'text', text: prompt }] })
    for (const event of updates.answered(response)) play.hear(event)
    prompt = play.next(WELL)
  }
}

type Ask = (method: string, params: unknown) => Promise<Fields>

/** Goes on with the session of before where the agent can, else begins one, with the model and the mode that are wanted. */
async function openSession(ask: Ask, play: Play, session: { id: string; loading: boolean }, first: Fields): Promise<void> {
  const { request, deps } = play
  const place = { cwd: request.workspace.path, mcpServers: [] }
  const resumes = at(first, 'agentCapabilities.sessionCapabilities.resume')
  const method = resumes !== undefined && resumes !== null ? 'session/resume' : 'session/load'
  const can = method === 'session/resume' || at(first, 'agentCapabilities.loadSession') === true
  let made: Fields | null = null
  if (request.session !== undefined && can) {
    // What was said before is told again: nobody counts it twice.
    session.loading = true
    made = await ask(method, { ...place, sessionId: request.session }).catch(() => null)
    session.loading = false
    if (made !== null) session.id = request.session
    else play.hear({ t: 'notice', level: 'info', text: 'Its session of before could not be gone on with; it begins anew.' })
  }
  made ??= await ask('session/new', place)
  session.id ||= textAt(made, 'sessionId')

  const { mode } = deps.adapter.acp ?? {}
  if (mode)
    await ask('session/set_mode', { sessionId: session.id, modeId: request.role.permissions.write === 'none' ? mode.read : mode.write })
  const { model } = deps.settings
  if (model !== undefined) await setModel(ask, session.id, made, model)
}

/** Where the agent lets its models be chosen from: it may call them by a longer name. */
async function setModel(ask: Ask, sessionId: string, made: Fields, model: string): Promise<void> {
  const fits = (id: string) => id === model || id.endsWith(`/${model}`)
  const option = listAt(made, 'configOptions').find((it) => textAt(it, 'category') === 'model')
  const values = listAt(option, 'options').flatMap((it) => [
    textAt(it, 'value'),
    ...listAt(it, 'options').map((one) => textAt(one, 'value')),
  ])
  const value = values.find(fits)
  if (option !== undefined && value !== undefined) {
    await ask('session/set_config_option', { sessionId, configId: textAt(option, 'id'), value })
    return
  }
  const known = listAt(made, 'models.availableModels').map((it) => textAt(it, 'modelId'))
  const modelId = known.find(fits)
  if (modelId !== undefined && modelId !== textAt(made, 'models.currentModelId')) await ask('session/set_model', { sessionId, modelId })
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
