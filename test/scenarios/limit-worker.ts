/**
 * A process with runs that ask a model as fast as they may: node limit-worker.ts <store folder> <server> <runs> <calls of each> <ms of a minute>
 * Whoever is told to come back later does, as a parked run would.
 */
import { createRouter } from '../../src/agents/router/router.ts'
import { systemClock } from '../../src/core/clock.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import { createProvider } from '../../src/models/create.ts'
import type { ModelProvider } from '../../src/models/port.ts'
import { openStore } from '../../src/store/open.ts'

const [folder = '', server = '', runs = '1', calls = '1', minuteMs = '60000'] = process.argv.slice(2)

const settings = settingsSchema.parse({
  providers: {
    shared: {
      kind: 'openai-compatible',
      base_url: `${server}/v1`,
      model: 'm',
      dialect: 'generic',
      account: 'ours',
      max_concurrent: 4,
      requests_per_minute: 20,
    },
  },
})

const store = await openStore(folder)
const router = createRouter({ shared: async () => store.routing, clock: systemClock, env: {}, minuteMs: Number(minuteMs) })
const provider = settings.providers['shared']
if (provider === undefined || Array.isArray(provider)) throw new Error('There is no provider.')
const model = await createProvider('shared', provider, { env: {}, projectRoot: folder, admission: router.admission('shared', settings) })

/** Null when it was answered; else when to come back. */
async function call(run: string, turn: number): Promise<number | null> {
  const origin = { run, task: 't', step: 'implement', role: 'implementer', attempt: 1, turn }
  const request = { messages: [{ role: 'user', text: 'Go on.' }], tools: [], origin, signal: AbortSignal.timeout(60_000) }
  for await (const event of model.generate(request as Parameters<ModelProvider['generate']>[0])) {
    if (event.type === 'done') return null
    if (event.type === 'error' && event.class === 'rate_limited' && event.retryAt !== undefined) return event.retryAt
    if (event.type === 'error') throw new Error(event.problem)
  }
  throw new Error('There was no answer.')
}

async function work(run: string): Promise<void> {
  for (let turn = 0; turn < Number(calls); turn++) {
    for (let until = await call(run, turn); until !== null; until = await call(run, turn)) {
      await systemClock.sleep(Math.max(0, until - systemClock.now()))
    }
  }
}

await Promise.all(Array.from({ length: Number(runs) }, (_, at) => work(`r${process.pid}-${at}`)))
await store.close()
