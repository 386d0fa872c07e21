import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { RunEvent } from '../core/event.ts'
import { runLog } from './run-log.ts'

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
