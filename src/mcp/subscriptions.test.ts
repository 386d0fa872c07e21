import { expect, it } from 'vitest'
import type { Client } from '../client/client.ts'
import { followAll } from './subscriptions.ts'

it('follows another run where one has ended: a host that stays for days hears of each', async () => {
  const asked: string[] = []
  const stream = async function* (_name: string, { run, follow }: { run: string; follow?: boolean }) {
    if (follow !== true) return
    asked.push(run)
    yield { run, seq: 1 }
  }
  const told: string[] = []
  const followed = followAll({ stream } as unknown as Client, (uri) => void told.push(uri))
  for (let count = 0; count < 70; count++) {
    followed.add(`reeve://runs/r${count}`)
    await expect.poll(() => told.length, { interval: 1 }).toBe(count + 1)
  }
  expect(asked).toHaveLength(70)
  expect(told.at(-1)).toBe('reeve://runs/r69')
  followed.end()
})
