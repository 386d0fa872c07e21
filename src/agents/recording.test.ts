import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plainWorkspace, runOnce } from '../../test/support/cli-agent.ts'
import { temporaryFolder } from '../../test/support/folder.ts'
import { systemClock } from '../core/clock.ts'
import { NO_USAGE } from '../core/run.ts'
import { settingsSchema } from '../core/settings.ts'
import { readCassette } from '../models/recording/cassette.ts'
import { cassetteFile, createRecorder } from '../models/recording/recorder.ts'
import type { Agent, AgentResult } from './port.ts'
import { recordedAgent, replayAgent } from './recording.ts'

const FILES = { 'a.txt': 'old\n', 'gone.txt': 'here\n', 'same.txt': 'same\n' }
const BINARY = Buffer.from([0, 255, 10, 13, 128])
const DONE: AgentResult = {
  status: 'completed',
  text: 'Done.',
  output: { fine: true },
  problem: '',
  class: null,
  retryAt: null,
  usage: { ...NO_USAGE, requests: 3 },
  cost: 0.5,
  steps: 2,
  session: 's-1',
}

/** An agent that does this to the files. */
function worker(work: (path: string) => void, result: AgentResult = DONE): Agent {
  return {
    provider: 'program',
    model: 'm',
    async run({ workspace, emit }) {
      emit({ type: 'used', usage: DONE.usage, cost: 0.5, model: 'm', source: 'reported' })
      work(workspace.path)
      return result
    },
  }
}

async function recordedBy(agent: Agent) {
  const evidenceDir = temporaryFolder()
  const recorder = createRecorder({ evidenceDir, redact: (text) => text, clock: systemClock })
  const place = plainWorkspace(FILES)
  await runOnce(recordedAgent(agent, recorder), place)
  return { place, cassette: await readCassette(cassetteFile(evidenceDir, 'r-test'), 'providers.x.file') }
}

const RULES = settingsSchema.parse({}).files
const nobody = () => Promise.reject(new Error('there was no model'))

describe('a step of a program that was recorded', () => {
  it('is done again byte for byte, told again, and paid for once', async () => {
    const { place, cassette } = await recordedBy(
      worker((path) => {
        writeFileSync(join(path, 'a.txt'), 'new\n')
        mkdirSync(join(path, 'deep'))
        writeFileSync(join(path, 'deep/binary'), BINARY)
        writeFileSync(join(path, 'run.sh'), '#!/bin/sh\n')
        chmodSync(join(path, 'run.sh'), 0o755)
        rmSync(join(path, 'gone.txt'))
      }),
    )
    const again = plainWorkspace(FILES)
    const { result, events } = await runOnce(replayAgent('recording', cassette, RULES, nobody), again)
    expect(again.files()).toEqual(place.files())
    expect(Object.keys(again.files()).toSorted()).toEqual(['a.txt', 'deep/binary', 'run.sh', 'same.txt'])
    const mode = (file: string) => statSync(join(again.workspace.path, file)).mode & 0o111
    expect([mode('run.sh') > 0, mode('a.txt')]).toEqual([true, 0])
    expect(result).toEqual({ ...DONE, cost: 0, session: null })
    expect(events).toEqual([{ type: 'used', usage: DONE.usage, cost: 0, model: 'm', source: 'reported' }])
  })

  it('is done again though something else is asked now, which is said', async () => {
    const { cassette } = await recordedBy(worker((path) => writeFileSync(join(path, 'a.txt'), 'new\n')))
    const again = plainWorkspace(FILES)
    const { events } = await runOnce(replayAgent('recording', cassette, RULES, nobody), again, { goal: 'Something else.' })
    expect(again.files()['a.txt']).toBe('new\n')
    expect(events[0]).toEqual({
      type: 'noticed',
      level: 'warning',
      text: 'The recorded step was asked something else; its answer is given all the same.',
    })
  })

  it('changes only what its role may', async () => {
    const { cassette } = await recordedBy(
      worker((path) => {
        for (const file of ['a.txt', 'a.test.ts', 'reeve.toml', 'locked.txt', '.env']) writeFileSync(join(path, file), 'new\n')
      }),
    )
    const again = plainWorkspace(FILES)
    const { events } = await runOnce(replayAgent('recording', cassette, RULES, nobody), again, { protectedPaths: ['locked.txt'] })
    expect(again.files()).toEqual({ ...FILES, 'a.txt': 'new\n' })
    expect(events.at(-1)).toMatchObject({ level: 'warning', text: expect.stringMatching(/may not change .*reeve\.toml.*: left out\./) })
  })

  it('writes nothing outside of the workspace, whatever the recording says', async () => {
    const { cassette } = await recordedBy(worker(() => undefined))
    const again = plainWorkspace(FILES)
    const outside = join(dirname(again.workspace.path), 'outside.txt')
    const wrong = { ...cassette.agent({ step: 'implement' }), files: [{ path: '../outside.txt', content: '', executable: false }] }
    const agent = replayAgent('recording', { ...cassette, agent: () => wrong as never }, RULES, nobody)
    await expect(runOnce(agent, again)).rejects.toThrow()
    expect(() => statSync(outside)).toThrow('ENOENT')
  })

  it('that a limit ended for good ends at once, and does not wait', async () => {
    const limited = { ...DONE, status: 'failed', class: 'quota', problem: 'Used up.', retryAt: 9e12 } as const
    const { cassette } = await recordedBy(worker(() => undefined, limited))
    const { result } = await runOnce(replayAgent('recording', cassette, RULES, nobody), plainWorkspace(FILES))
    expect(result).toMatchObject({ status: 'failed', class: 'refused', problem: 'Used up.', retryAt: null })
  })
})
