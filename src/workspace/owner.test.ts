import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { onlyOne, takeOver } from './owner.ts'

const never = new AbortController().signal

describe('work that only one should do', () => {
  it('is done by one after the other, also when one fails', async () => {
    const lock = join(temporaryFolder(), 'lock')
    let inside = 0
    const turns = [1, 2, 3, 4].map((at) =>
      onlyOne(lock, never, async () => {
        inside += 1
        expect(inside).toBe(1)
        await delay(20)
        inside -= 1
        if (at === 2) throw new Error('broken')
        return at
      }).catch((error: unknown) => String(error)),
    )
    expect(await Promise.all(turns)).toEqual([1, 'Error: broken', 3, 4])
    expect(existsSync(lock)).toBe(false)
  })

  it('is handed on among many without a moment in which two have it', async () => {
    const folder = temporaryFolder()
    let inside = 0
    const most: number[] = []
    const turn = () =>
      onlyOne(join(folder, 'lock'), never, async () => {
        inside += 1
        most.push(inside)
        await delay(1)
        inside -= 1
      })
    await Promise.all(Array.from({ length: 30 }, turn))
    expect(most).toEqual(Array(30).fill(1))
    expect(readdirSync(folder)).toEqual([])
  })

  it('passes over a holder that has died, and one whose name was never written or is lost', async () => {
    const folder = temporaryFolder()
    writeFiles(folder, { 'dead/owner': '1 0\n', 'lost/owner': '' })
    mkdirSync(join(folder, 'nameless'))
    expect(await onlyOne(join(folder, 'lost'), never, async () => 'done')).toBe('done')
    expect(await onlyOne(join(folder, 'dead'), never, async () => 'done')).toBe('done')
    expect(await onlyOne(join(folder, 'nameless'), never, async () => 'done')).toBe('done')
  })

  it('is given up when the waiting is stopped', async () => {
    const lock = join(temporaryFolder(), 'lock')
    const stop = new AbortController()
    const holder = onlyOne(lock, never, () => delay(300))
    await delay(50)
    const waiting = onlyOne(lock, stop.signal, async () => 'done')
    stop.abort(new Error('stopped'))
    await expect(waiting).rejects.toThrow('stopped')
    await holder
  })
})

it('a folder is taken over only from the dead', async () => {
  const file = join(temporaryFolder(), 'owner')
  expect(await takeOver(file), 'nobody had it').toBe(false)
  expect(await takeOver(file), 'this process has it').toBe(false)
  writeFiles(join(file, '..'), { owner: '1 0\n' })
  expect(await takeOver(file), 'another process has that number now').toBe(true)
  expect(await takeOver(file)).toBe(false)
})
