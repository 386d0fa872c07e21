import { request } from 'node:http'
import { text as readAll } from 'node:stream/consumers'
import type { DaemonStatus } from '../client/daemon.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'
import { DAEMON_PATH } from './answer.ts'
import type { Place } from './place.ts'

// It answers from memory and one small query; a machine under full load takes seconds.
const ANSWER_MS = 10_000

type Where = Pick<Place, 'socket' | 'token'>

/** How a daemon is. Throws `daemon_failed` when it does not answer. */
export async function askStatus(place: Where): Promise<DaemonStatus> {
  return parseJson(await ask(place, 'GET', DAEMON_PATH), 'the daemon') as unknown as DaemonStatus
}

/** Asks a daemon to end; it has not ended when this resolves. */
export async function askToStop(place: Where, { now }: { now: boolean }): Promise<void> {
  await ask(place, 'POST', `${DAEMON_PATH}/stop`, now ? { 'Reeve-Now': '1' } : {})
}

function ask({ socket, token }: Where, method: 'GET' | 'POST', path: string, more: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (problem: string): void => {
      reject(new ReeveError('daemon_failed', { problem: `it does not answer: ${problem}` }))
    }
    const headers = { Authorization: `Bearer ${token}`, Host: 'localhost', ...more }
    const it = request({ socketPath: socket, method, path, headers, agent: false }, (answer) => {
      const { statusCode = 0 } = answer
      readAll(answer).then(
        (text) => (statusCode < 300 ? resolve(text) : failed(`${statusCode} ${text.slice(0, 200)}`.trim())),
        (error: unknown) => failed(problemOf(error)),
      )
    })
    it.setTimeout(ANSWER_MS, () => it.destroy(new Error(`nothing came for ${ANSWER_MS / 1000} s`)))
    it.once('error', (error) => failed(problemOf(error)))
    it.end()
  })
}
