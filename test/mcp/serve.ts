import { join } from 'node:path'
import { createApp } from '../../src/app.ts'
import { localUser } from '../../src/core/actor.ts'
import { createCallers } from '../../src/http/callers.ts'
import { createHttp } from '../../src/http/create.ts'
import { hostNames } from '../../src/http/guard.ts'
import { listen } from '../../src/http/listen.ts'
import { createMcpHttp } from '../../src/mcp/http.ts'
import { NO_LIMITS } from '../../src/store/queue-limits.ts'
import { TOYS } from '../support/app.ts'
import { conformanceFixtures } from './fixtures.ts'
import { TASK_WORKFLOWS } from './tasks.ts'

const TEMPLATES = join(import.meta.dirname, '../../templates')

export interface ConformanceServer {
  /** Address of `/mcp`. */
  url: string
  close(): Promise<void>
}

/** The real server with its guards and its engine, and the fixtures of the suite. Only the caller is known without a token: the suite has none. */
export async function startConformanceServer(home: string, project: string): Promise<ConformanceServer> {
  const env = { PATH: process.env['PATH'], HOME: home, REEVE_HOME: join(home, 'reeve'), REEVE_SANDBOX__MINIMUM: 'guarded' }
  const self: [string] = [process.execPath]
  const app = createApp({ env, version: '1.2.3', self, templates: TEMPLATES, workflows: { ...TOYS, ...TASK_WORKFLOWS } })
  const { engine } = await app.reside({ limits: NO_LIMITS, env })
  await engine.start()
  let port = 0
  const http = createHttp({
    gateway: app,
    authenticate: async () => localUser('conformance'),
    hosts: () => hostNames({ host: '127.0.0.1', port, hosts: [] }),
    callers: createCallers(),
    health: async () => new Response('ok'),
    ready: async () => new Response('ok'),
    metrics: async () => new Response(''),
    mcp: createMcpHttp({ gateway: app, version: '1.2.3', secret: 'a secret of the test', extend: conformanceFixtures(project) }),
    log: () => undefined,
    version: '1.2.3',
    answers: {
      findAnswer: async (id) => (await app.store()).access.findAnswer(id),
      keepAnswer: async (id, answer) => (await app.store()).access.keepAnswer(id, answer),
    },
    requestsPerMinute: 100_000,
  })
  const listening = await listen(http, { host: '127.0.0.1', port: 0 })
  port = listening.port
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async close() {
      await listening.close()
      await engine.stop()
      await app.close()
    },
  }
}
