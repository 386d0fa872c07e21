import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import { send } from '../../src/operations/webhooks/send.ts'
import { temporaryFolder } from '../support/folder.ts'

const GUIDE = join(import.meta.dirname, '../../docs/guides/events-and-webhooks.md')
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

it('the receiver of the guide takes what reeve signs, and nothing else', async () => {
  const text = /```js receiver\n([\s\S]*?)```/.exec(readFileSync(GUIDE, 'utf8'))?.[1] ?? ''
  const file = join(temporaryFolder(), 'receiver.mjs')
  writeFileSync(file, text)
  vi.stubEnv('CHAT_WEBHOOK_SECRET', SECRET)
  vi.stubEnv('PORT', '0')
  const taken = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  onTestFinished(() => {
    vi.unstubAllEnvs()
    taken.mockRestore()
  })
  const { server } = (await import(pathToFileURL(file).href)) as { server: Server }
  onTestFinished(() => void server.close())
  if (!server.listening) await once(server, 'listening')

  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const { chat } = settingsSchema.parse({ webhooks: { chat: { url } } }).webhooks
  if (!chat) throw new Error('no webhook')
  const answer = async (secret: string | null, now = Date.now()) => {
    const by = { fetch, clock: { ...systemClock, now: () => now }, version: '1' }
    return (await send(chat, { id: 'evt_1', body: '{"id":"evt_1"}', secret }, by, AbortSignal.timeout(5000))).answer
  }
  expect(await answer(SECRET)).toBe(204)
  expect(taken.mock.calls).toEqual([[{ id: 'evt_1' }]])
  expect(await answer('another')).toBe(401)
  expect(await answer(null)).toBe(401)
  expect(await answer(SECRET, Date.now() - 600_000), 'somebody sends an old one again').toBe(401)
  expect(taken).toHaveBeenCalledOnce()
})
