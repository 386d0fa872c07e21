import type { ClientContext } from '@agentclientprotocol/sdk'
import { at, type Fields, listAt, textAt } from '../cli/line.ts'
import type { Ended, Play } from '../cli/play.ts'
import type { Updates } from './updates.ts'

/** A conversation that came to its end: how the program ends then says nothing. */
export const WELL: Ended = { code: 0, signal: null, stderr: '', broken: null }

/** The session a conversation is about. `loading`: what was said before is being told again. */
export interface Session {
  id: string
  loading: boolean
}

/** From the first word to the last answer. Rejects with what a request was answered with, or with the end of the program. */
export async function speak(context: ClientContext, play: Play, session: Session, updates: Updates): Promise<void> {
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
async function openSession(ask: Ask, play: Play, session: Session, first: Fields): Promise<void> {
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
