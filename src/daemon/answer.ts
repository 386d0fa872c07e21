import { timingSafeEqual } from 'node:crypto'
import type { Via } from '../access/authenticate.ts'
import type { DaemonStatus } from '../client/daemon.ts'

export interface Answers {
  token: string
  status: () => Promise<DaemonStatus>
  stop: (how: { now: boolean }) => void
}

/** Where a daemon tells its own user how it is, and is ended by him: on the socket only, with the token. */
export const DAEMON_PATH = '/daemon'

/** The answer to a request about the daemon itself; null: it is about something else. */
export async function answerAboutDaemon(request: Request, via: Via, it: Answers): Promise<Response | null> {
  const { pathname } = new URL(request.url)
  if (via !== 'socket' || (pathname !== DAEMON_PATH && pathname !== `${DAEMON_PATH}/stop`)) return null
  if (!isToken(request.headers.get('authorization'), it.token)) return new Response(null, { status: 401 })
  if (pathname === DAEMON_PATH && request.method === 'GET') return Response.json(await it.status())
  if (pathname === `${DAEMON_PATH}/stop` && request.method === 'POST') {
    it.stop({ now: request.headers.get('reeve-now') === '1' })
    return new Response(null, { status: 202 })
  }
  return new Response(null, { status: 405 })
}

function isToken(authorization: string | null, token: string): boolean {
  const [given, wanted] = [Buffer.from(authorization ?? ''), Buffer.from(`Bearer ${token}`)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
