import { appendFileSync, existsSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { RunEvent } from '../core/event.ts'
import { runLog, sweepLogs } from './run-log.ts'

it('holds every event once, also when a process died in the middle of a line and another goes on', async () => {
  const store = await toyStore()
  const { id } = await toySubmit(store)
  for (let at = 0; at < 5; at++) await store.append(id, null, 'message.sent', { actor: 'ada', text: `m${at}` })
  const events = await store.events(id)
  const path = join(temporaryFolder(), 'logs', `${id}.ndjson`)

  const first = runLog(store, id, path)
  for (const event of events.slice(0, 2)) await first.write(event)
  appendFileSync(path, '{"run":"')
  const second = runLog(store, id, path)
  for (const event of [...events.slice(1, 2), ...events.slice(4)]) await second.write(event)

  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines.filter((it) => it === '{"run":"')).toHaveLength(1)
  expect(lines.filter((it) => it !== '{"run":"').map((it) => JSON.parse(it) as RunEvent)).toEqual(events)
})

it('goes on behind a last line that is longer than what is looked at first', async () => {
  const store = await toyStore()
  const { id } = await toySubmit(store)
  for (const text of ['short', 'x'.repeat(300_000), 'last']) await store.append(id, null, 'message.sent', { actor: 'ada', text })
  const events = await store.events(id)
  const path = join(temporaryFolder(), `${id}.ndjson`)
  const first = runLog(store, id, path)
  for (const event of events.slice(0, 3)) await first.write(event)
  await runLog(store, id, path).write(events[3] as RunEvent)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines.map((it) => (JSON.parse(it) as RunEvent).seq)).toEqual([1, 2, 3, 4])
})

it('removes logs that nothing was written to for 90 days, and nothing else', async () => {
  const folder = temporaryFolder()
  writeFiles(folder, { 'old.ndjson': '', 'new.ndjson': '', 'daemon.log': '' })
  const past = Date.now() / 1000 - 91 * 86_400
  for (const name of ['old.ndjson', 'daemon.log']) utimesSync(join(folder, name), past, past)
  await sweepLogs(folder, Date.now())
  expect(['old.ndjson', 'new.ndjson', 'daemon.log'].map((it) => existsSync(join(folder, it)))).toEqual([false, true, true])
  await sweepLogs(join(folder, 'none'), Date.now())
})
