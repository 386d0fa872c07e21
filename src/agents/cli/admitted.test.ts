import { describe, expect, it } from 'vitest'
import { folderWorkspace, makeRole } from '../../../test/support/agent.ts'
import type { Admission } from '../../models/admission.ts'
import type { AgentRequest } from '../port.ts'
import { admitted } from './admitted.ts'

/** As far as it is looked at. */
const requestOf = () =>
  ({
    role: makeRole(),
    goal: 'Do it.',
    workspace: folderWorkspace({}),
    origin: { run: 'r1', task: 't', step: 'implement', attempt: 1 },
    signal: new AbortController().signal,
    limits: { steps: 1, tokens: null, usd: null, timeoutMs: 1, commandTimeoutMs: 1 },
    protectedPaths: [],
  }) as unknown as AgentRequest

function account() {
  const left: unknown[] = []
  const admission: Admission = { enter: async () => ({ admitted: true, leave: async (outcome) => void left.push(outcome) }) }
  return { left, admission }
}

describe('a program whose requests nobody sees', () => {
  it('gives its place back also when we fail ourselves, which is not its provider’s fault', async () => {
    const { left, admission } = account()
    const work = async () => {
      throw new Error('The disk is full.')
    }
    await expect(admitted({ admission }, requestOf(), work)).rejects.toThrow('The disk is full.')
    expect(left).toEqual([{ class: 'aborted', tokens: null }])
  })

  it('is not started while its account has no place, and says when it has', async () => {
    const admission: Admission = { enter: async () => ({ admitted: false, retryAt: 5000, problem: 'The account "a" is full.' }) }
    const work = async () => {
      throw new Error('it was started')
    }
    expect(await admitted({ admission }, requestOf(), work)).toMatchObject({
      status: 'failed',
      class: 'rate_limited',
      retryAt: 5000,
      problem: 'The account "a" is full.',
      usage: { requests: 0 },
    })
  })
})
