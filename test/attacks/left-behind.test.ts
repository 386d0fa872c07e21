import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, it as plain } from 'vitest'
import { thisProcess } from '../../src/process/alive.ts'
import { removeStale } from '../../src/sandbox/limits/cgroups/names.ts'
import { temporaryFolder } from '../support/folder.ts'
import { limited, processesWith } from '../support/limited.ts'
import { itNeeds } from '../support/needs.ts'

const it = itNeeds('bubblewrap')

/** Found again in the command lines of all that a test starts: seconds to sleep that nobody else uses. They end by themselves, some day. */
const SLEEP = `29${process.pid}`
/** Double forks, sessions of their own, trapped signals, an empty environment. */
const STUBBORN = `trap '' TERM HUP; setsid -f env -i sleep ${SLEEP}; (setsid sh -c "trap '' TERM HUP; sleep ${SLEEP} & wait" &); (nohup sleep ${SLEEP} &); sleep ${SLEEP}`

function namespace(): string {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''
}

function endThem(): void {
  for (const it of processesWith(SLEEP)) {
    try {
      process.kill(Number.parseInt(it, 10), 'SIGKILL')
    } catch {
      // ended meanwhile
    }
  }
}

describe('29: what a program leaves', () => {
  it('29: nothing of a stubborn one is left at its time limit', async () => {
    onTestFinished(endThem)
    const { shell } = await limited()
    const result = await shell(STUBBORN, { timeoutMs: 1500 })
    expect(result.ended).toBe('timeout')
    expect(processesWith(SLEEP)).toEqual([])
  })

  it('29: nothing of it is left when it ends by itself', async () => {
    onTestFinished(endThem)
    const { shell } = await limited()
    const result = await shell(STUBBORN.replace(/; sleep \d+$/, '; sleep 0.3'))
    expect([result.ended, result.exitCode]).toEqual(['exited', 0])
    expect(processesWith(SLEEP)).toEqual([])
  })

  it('29: nothing of it is left when reeve is killed', async () => {
    onTestFinished(endThem)
    const { tree } = await limited()
    const reeve = spawn(process.execPath, [join(import.meta.dirname, 'holder.ts'), tree, STUBBORN], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void reeve.kill('SIGKILL'))
    await expect
      .poll(() => processesWith(SLEEP).filter((it) => it.includes(` sleep ${SLEEP}`)).length, { timeout: 20_000 })
      .toBeGreaterThan(3)
    reeve.kill('SIGKILL')
    await once(reeve, 'exit')
    await expect.poll(() => processesWith(SLEEP), { timeout: 10_000 }).toEqual([])
  })

  // Only the control group knows of those that gave up group, session, parent and environment.
  const root = process.platform === 'linux' && process.getuid?.() === 0
  plain.skipIf(!root)('29: nothing of a plain process is left where there are control groups', async () => {
    onTestFinished(endThem)
    const { shell } = await limited({ plain: true })
    const result = await shell(STUBBORN, { timeoutMs: 1500 })
    expect(result.ended).toBe('timeout')
    expect(processesWith(SLEEP)).toEqual([])
  })

  plain.skipIf(process.platform !== 'linux')(
    '29: the groups of a dead reeve are told from those of one that has its number now',
    async () => {
      const base = temporaryFolder()
      const { pid, started } = await thisProcess()
      const [dead, own] = [`reeve-${namespace()}-${pid}-${Number(started) - 1}-1`, `reeve-${namespace()}-${pid}-${started}-1`]
      for (const name of [dead, own, 'other']) mkdirSync(join(base, name))
      await removeStale(base)
      expect(readdirSync(base).toSorted()).toEqual(['other', own].toSorted())
    },
  )
})
