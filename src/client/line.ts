import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { ERRORS, type ErrorCode, type ErrorDetails, ReeveError } from '../core/errors.ts'
import type { Wanted } from './request.ts'

/** Where a daemon is reached, and what opens it. */
export interface Remote {
  at: { socket: string } | { url: string }
  token: string
}

export interface RemoteOptions {
  /** Asked for the first call and again where the daemon is not reached any more; `failed` is why. */
  find: (failed: Error | null) => Promise<Remote>
  /** Where this process is and its environment, which the daemon then uses for its calls; only over the socket. */
  place?: { cwd: string; env: Readonly<Record<string, string | undefined>> }
}

/** Requests to a daemon that may go and come. */
export interface Line {
  /** `again`: may be sent a second time, even where the first may have been heard. */
  json(wanted: Wanted, signal: AbortSignal, again: boolean): Promise<unknown>
  send(wanted: Wanted, signal: AbortSignal): Promise<IncomingMessage>
  /** The daemon was not reached: the next request asks for its place again. */
  lose(error: Error): void
  close(): void
}

export function createLine({ find, place }: RemoteOptions): Line {
  const agent = new Agent({ keepAlive: true })
  let remote: Promise<Remote> | null = null
  let caller: Promise<string> | null = null
  let failed: Error | null = null

  function lose(error: Error): void {
    remote = null
    caller = null
    failed = error
  }

  async function send(wanted: Wanted, signal: AbortSignal, again = true): Promise<IncomingMessage> {
    remote ??= find(failed)
    const to = await remote.catch((error: unknown) => {
      remote = null
      throw error
    })
    try {
      const headers = { ...wanted.headers, ...(await callerHeader(to)) }
      const answer = await sendTo(to, agent, { ...wanted, headers }, signal)
      if ((answer.statusCode ?? 500) < 400) return answer
      throw await errorOf(answer)
    } catch (error) {
      if (!again || signal.aborted || !(error instanceof Error)) throw error
      // It has been started again since: it knows nobody. Or it is gone, and nothing of this request has reached it.
      if (error instanceof ReeveError && error.code === 'caller_unknown') caller = null
      else if (isUnreached(error)) lose(error)
      else throw error
      return send(wanted, signal, false)
    }
  }

  async function callerHeader(to: Remote): Promise<Record<string, string>> {
    if (place === undefined || !('socket' in to.at)) return {}
    caller ??= sayPlace(to, agent, place)
    const id = await caller.catch((error: unknown) => {
      caller = null
      throw error
    })
    return { 'reeve-caller': id }
  }

  return {
    send,
    lose,
    async json(wanted, signal, again) {
      const once = async (): Promise<unknown> => JSON.parse(await textOf(await send(wanted, signal)))
      try {
        return await once()
      } catch (error) {
        if (!again || signal.aborted || error instanceof ReeveError || !isBroken(error)) throw error
        lose(error as Error)
        return once()
      }
    },
    close: () => agent.destroy(),
  }
}

async function sayPlace(to: Remote, agent: Agent, { cwd, env }: NonNullable<RemoteOptions['place']>): Promise<string> {
  const body = JSON.stringify({ cwd, env })
  const wanted = { method: 'PUT', path: '/caller', body, headers: { 'content-type': 'application/json' } }
  const answer = await sendTo(to, agent, wanted, new AbortController().signal)
  if (answer.statusCode !== 200) throw await errorOf(answer)
  return (JSON.parse(await textOf(answer)) as { id: string }).id
}

/** Nothing listens there, or it hung up before it said a word. */
function isUnreached(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNREFUSED' || code === 'ENOENT'
}

/** The connection ended in the middle. */
function isBroken(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function sendTo(
  { at, token }: Remote,
  agent: Agent,
  { method, path, body, headers }: Wanted,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = 'url' in at ? new URL(at.url) : null
  const secure = url?.protocol === 'https:'
  const options: RequestOptions = {
    ...(url === null
      ? { socketPath: (at as { socket: string }).socket, host: 'localhost' }
      : { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port }),
    ...(secure ? {} : { agent }),
    method,
    path,
    signal,
    headers: {
      ...headers,
      authorization: `Bearer ${token}`,
      ...(body === null ? {} : { 'content-length': Buffer.byteLength(body) }),
    },
  }
  return new Promise((resolve, reject) => {
    // Commands of this machine never need the other one, and loading it takes them longer than all they ask.
    const asked = (secure ? process.getBuiltinModule('node:https').request : request)(options, resolve)
    asked.on('error', reject)
    asked.end(body ?? undefined)
  })
}

async function textOf(answer: IncomingMessage): Promise<string> {
  answer.setEncoding('utf8')
  let text = ''
  for await (const chunk of answer) text += chunk as string
  return text
}

/** The daemon's error as the same error here. */
async function errorOf(answer: IncomingMessage): Promise<ReeveError> {
  const text = await textOf(answer)
  try {
    return errorFrom(JSON.parse(text))
  } catch {
    return new ReeveError('internal', { problem: `the daemon answered ${answer.statusCode}: ${text.slice(0, 200)}` })
  }
}

export function errorFrom(problem: { code?: unknown; detail?: unknown; details?: unknown }): ReeveError {
  const { code, detail, details } = problem
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code))
    return new ReeveError('internal', { problem: typeof detail === 'string' ? detail : 'it says nothing' })
  return new ReeveError(code as ErrorCode, (details ?? {}) as ErrorDetails)
}
