import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { adapterOf } from '../../src/agents/cli/adapters.ts'
import { createCliAgent } from '../../src/agents/cli/agent.ts'
import type { AgentEvent, AgentResult } from '../../src/agents/port.ts'
import type { Json } from '../../src/core/json.ts'
import { type CliOver, cliDeps, plainWorkspace, runOnce } from '../support/cli-agent.ts'
import { CLI_SAMPLES, type CliSample } from '../support/cli-samples.ts'
import { fakeCli, GOOD_RUNS, type Nasty } from '../support/fake-cli.ts'
import { itNeeds } from '../support/needs.ts'
import { processesOfRun } from '../support/processes.ts'
import { providerSettings } from '../support/provider.ts'

const KEY = 'sk-the-users-own-key-0123456789'
const BROKEN = 'export const sum = (a, b) => a - b;\n'
/** Nothing here takes a tenth of it; an agent that is not ended takes ten minutes. */
const BOUND_MS = 20_000

// They mostly wait for their programs.
const AT_ONCE = 6

let runs = 0

interface Outcome {
  result: AgentResult
  events: AgentEvent[]
  ms: number
  files: Record<string, string>
}

/** Plays a sample by the real runner, and sees to what holds whatever happens. */
async function play(
  sample: CliSample,
  nasty: Nasty = 'nothing',
  settings: { [key: string]: Json } = {},
  over: CliOver = {},
): Promise<Outcome> {
  const place = plainWorkspace({ 'sum.mjs': BROKEN })
  const run = `r-conformance-${process.pid}-${++runs}`
  const adapter = adapterOf(sample.cli, providerSettings({ kind: sample.cli }))
  const keys = (adapter.api?.keyVariables ?? ['CURSOR_API_KEY']).map((name) => [name, KEY])
  // There is no key that it takes from us: it has its own.
  const own = adapter.api === null ? { secrets_env: ['CURSOR_API_KEY'] } : {}
  const deps = cliDeps('', {
    name: sample.cli,
    adapter,
    settings: { kind: sample.cli, model: 'some-model', ...own, ...settings },
    program: { path: fakeCli(sample, nasty), version: null },
    env: Object.fromEntries(keys) as Record<string, string>,
    ...(settings['idle_timeout_seconds'] === undefined ? {} : { patience: { firstMs: 100, toolMs: 500 } }),
  })
  const began = performance.now()
  const { result, events } = await runOnce(createCliAgent(deps), place, {
    origin: { run, task: 't', step: 'implement', attempt: 1 },
    ...over,
  })
  const ms = performance.now() - began
  const about = `${sample.cli}, ${nasty}: ${result.problem}`
  const told = events.length

  expect(processesOfRun(run), about).toEqual([])
  expect(ms, about).toBeLessThan(BOUND_MS)
  expect(JSON.stringify([events, result]), about).not.toContain(KEY)
  const argv = join(place.home, 'argv')
  if (existsSync(argv)) {
    const asked = `${readFileSync(argv, 'utf8')}${readFileSync(join(place.home, 'stdin'), 'utf8')}`
    expect(asked, about).not.toContain(KEY)
    // Ended at once, it may not have read it.
    if (result.status === 'completed') expect(asked, about).toContain('Make it work.')
  }
  expect(result.status === 'completed', about).toBe(result.problem === '')
  expect(result.class === null, about).toBe(result.status === 'completed' || result.status === 'limited')
  return { result, ms, files: place.files(), events: events.slice(0, told) }
}

const each = async (samples: readonly CliSample[], check: (sample: CliSample) => Promise<void>): Promise<void> => {
  const left = [...samples]
  const some = async () => {
    for (let sample = left.shift(); sample !== undefined; sample = left.shift()) await check(sample)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, some))
}

function expectGood({ result, files }: Outcome, sample: CliSample): void {
  expect(result, sample.cli).toMatchObject({ status: 'completed', text: sample.expected.text })
  if (sample.expected.usage) {
    expect([result.usage.inputTokens, result.usage.outputTokens], sample.cli).toEqual(sample.expected.usage)
  }
  if (sample.expected.session === true) expect(result.session, sample.cli).toMatch(/./)
  expect(files['sum.mjs'], sample.cli).not.toBe(BROKEN)
}

describe('every CLI agent', () => {
  it('does its work: what it says becomes events, and its end a result', async () => {
    await each(GOOD_RUNS, async (sample) => {
      const outcome = await play(sample)
      expectGood(outcome, sample)
      const acted = outcome.events.filter((it) => it.type === 'acted')
      expect(acted, sample.cli).toHaveLength(sample.expected.tools ?? 0)
      expect(outcome.events.filter((it) => it.type === 'started').length, sample.cli).toBeLessThanOrEqual(1)
    })
  })

  it('is ended when it hangs, also when it does not listen', async () => {
    await each(GOOD_RUNS, async (sample) => {
      for (const nasty of ['hangs', 'ignores SIGTERM'] as const) {
        const { result } = await play(sample, nasty, { idle_timeout_seconds: 0.5 })
        expect(result, `${sample.cli}, ${nasty}`).toMatchObject({ status: 'failed', class: 'timeout' })
      }
    })
  })

  it('is ended when the work is stopped', async () => {
    await each(GOOD_RUNS, async (sample) => {
      const { result } = await play(sample, 'hangs', {}, { signal: AbortSignal.timeout(300) })
      expect(result, sample.cli).toMatchObject({ status: 'aborted', class: 'aborted' })
    })
  })

  itNeeds('setsid')('leaves no child behind, also one with a session of its own', async () => {
    await each(GOOD_RUNS, async (sample) => expectGood(await play(sample, 'leaves a session leader'), sample))
  })

  it('may write a character in two pieces', async () => {
    await each(GOOD_RUNS, async (sample) => {
      const { result } = await play(sample, 'splits a character')
      expect(result, sample.cli).toMatchObject({ status: 'completed', text: sample.expected.text?.replace('DONE', 'DONÉ') })
    })
  })

  it('may write lines of any length, garbage, and floods to stderr', async () => {
    for (const nasty of ['writes a line of 5 MB', 'writes garbage between its lines'] as const) {
      await each(GOOD_RUNS, async (sample) => {
        const { result } = await play(sample, nasty)
        expect(result, `${sample.cli}, ${nasty}`).toMatchObject({ status: 'completed', text: sample.expected.text })
      })
    }
    const heard = GOOD_RUNS.filter((it) => ['claude', 'gemini', 'qwen', 'cn'].includes(it.cli))
    await each(heard, async (sample) => expectGood(await play(sample, 'floods stderr'), sample))
  })

  it('may end without a line break', async () => {
    await each(GOOD_RUNS, async (sample) => expectGood(await play(sample, 'ends without a line break'), sample))
  })

  it('is not believed without its last event', async () => {
    await each(GOOD_RUNS, async (sample) => {
      const { result } = await play(sample, 'leaves out its last event')
      expect(result, sample.cli).toMatchObject({ status: 'failed', class: 'bad_output' })
    })
  })

  it('is not believed with exit code 0 after an error', async () => {
    const failed = CLI_SAMPLES.filter((it) => it.case === 'e401')
    await each(failed, async (sample) => {
      const { result } = await play(sample, 'ends with 0 after an error')
      expect(result, sample.cli).toMatchObject({ status: 'failed', class: 'auth' })
    })
  })
})

describe('what a CLI agent fails of', () => {
  const failing = CLI_SAMPLES.filter((it) => ['e401', 'e429', 'refused'].includes(it.case))

  it('has its class, whatever the program does with it', async () => {
    await each(failing, async (sample) => {
      // Some go on trying for as long as they are let.
      const { result } = await play(sample, 'nothing', { give_up_seconds: 1 })
      expect(result, sample.file).toMatchObject({ status: 'failed', class: sample.expected.class })
    })
  })
})
