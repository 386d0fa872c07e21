import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { lastingFolder, temporaryFolder } from '../../../test/support/folder.ts'
import { writeRandomModel, writeScriptedModel } from '../../../test/support/gguf.ts'
import { itNeeds } from '../../../test/support/needs.ts'
import { collect, providerSettings, textOf } from '../../../test/support/provider.ts'
import { toolFolder } from '../../../test/support/tools.ts'
import { systemClock } from '../../core/clock.ts'
import { type Json, parseJson } from '../../core/json.ts'
import type { ModelEvent, ModelProvider } from '../port.ts'
import { startEngine } from './engine.ts'
import { findEngine } from './find-engine.ts'
import { createEnginePool } from './keep-engine.ts'
import { createLlamaCpp } from './provider.ts'

/** What an engine is known by is told by the system only there. */
const NEEDS = ['the llama engine', ['test', '-d', '/proc/self/task']] as const
const ENGINE = { REEVE_LLAMA: toolFolder('llama') }
const SAID = 'Grüße, "Welt"!\n\tif (a < b) { return `${a}` } // 100 % \\ done 😀 done 😀 done'

interface Shared {
  folder: string
  remove: () => void
}
let shared: Shared
/** Most tests go on with the engine of the one before. */
const pool = createEnginePool()
beforeAll(() => {
  shared = lastingFolder()
  writeScriptedModel(join(shared.folder, 'says.gguf'), SAID, { context: 4096 })
  writeScriptedModel(join(shared.folder, 'never-ends.gguf'), 'a story without an end. ', { loop: true, context: 65_536 })
  writeRandomModel(join(shared.folder, 'noise.gguf'))
})
afterAll(async () => {
  await pool.close()
  shared.remove()
})

async function model(file: string, over: { [key: string]: Json } = {}, deps: { env?: Readonly<Record<string, string>> } = {}) {
  const settings = providerSettings({ kind: 'llamacpp', file, threads: 1, ...over })
  return createLlamaCpp('local', settings, {
    env: ENGINE,
    projectRoot: shared.folder,
    dataDir: join(shared.folder, 'data'),
    engines: pool,
    ...deps,
  })
}

/** Processes whose folder is that of the models: nobody but an engine has it. */
function engines(folder = shared.folder): number[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === folder ? [Number(pid)] : []
    } catch {
      return [] // gone
    }
  })
}

const asked = (text: string) => ({ messages: [{ role: 'user' as const, text }] })

describe('a GGUF model', () => {
  itNeeds(...NEEDS)('says what it says, piece by piece, and counts tokens; the engine stays for the next call', async () => {
    const settings = providerSettings({ kind: 'llamacpp', file: 'says.gguf', threads: 1 })
    const provider = await createLlamaCpp('local', settings, { env: ENGINE, projectRoot: shared.folder })
    onTestFinished(() => provider.close?.())
    expect(provider).toMatchObject({ model: 'scripted', capabilities: { tools: false, schema: true, contextTokens: 4096 } })
    const first = await collect(provider)
    expect(textOf(first)).toBe(SAID)
    expect(first.filter((it) => it.type === 'text').length).toBeGreaterThan(3)
    expect(first.at(-1)).toMatchObject({ type: 'done', cost: 0, finish: 'stop', usage: { inputTokens: 55, requests: 1 } })
    const before = engines()
    const second = await collect(provider)
    expect(textOf(second)).toBe(SAID)
    expect(second.at(-1)).toMatchObject({ usage: { inputTokens: 55, cachedInputTokens: 55 } })
    expect(engines()).toEqual(before)
    await provider.close?.()
    expect(engines()).toEqual([])
  })

  itNeeds(...NEEDS)('refuses a prompt that does not fit, with both numbers, and cuts nothing', async () => {
    const provider = await model('says.gguf', { context_tokens: 2048 })
    expect(await collect(provider, asked('word '.repeat(400)))).toEqual([
      {
        type: 'error',
        class: 'context_too_long',
        problem: 'The prompt has 2020 tokens; with room for an answer it does not fit into the context of 2048 tokens (context_tokens).',
        usage: { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, requests: 1 },
        cost: 0,
      },
    ])
    expect(textOf(await collect(provider, asked('word'.repeat(300))))).toBe(SAID)
  })

  itNeeds(...NEEDS)('is held to a schema, and stops at its limit of tokens', async () => {
    const provider = await model('noise.gguf', { max_tokens: 400 })
    const schema = {
      type: 'object',
      properties: { verdict: { enum: ['approve', 'revise'] }, count: { type: 'integer' }, sure: { type: 'boolean' } },
      required: ['verdict', 'count'],
    }
    const answer = parseJson(textOf(await collect(provider, { schema })), 'the answer') as { verdict: string; count: number }
    expect(['approve', 'revise']).toContain(answer.verdict)
    expect(Number.isSafeInteger(answer.count)).toBe(true)
    expect(engines(), 'a model that nobody uses any more made place').toHaveLength(1)
    const cut = await collect(provider, { maxOutputTokens: 7 })
    expect(cut.at(-1)).toMatchObject({ type: 'done', finish: 'length', usage: { outputTokens: 7 } })
  })

  itNeeds(...NEEDS)('stops where its context is full', async () => {
    const provider = await model('never-ends.gguf', { context_tokens: 512 })
    const end = (await collect(provider)).at(-1)
    expect(end).toMatchObject({ type: 'done', finish: 'length', usage: { inputTokens: 55 } })
    expect(end?.type === 'done' && end.usage.outputTokens).toBeGreaterThan(440)
  })

  itNeeds(...NEEDS)('is stopped in the middle of an answer, and answers the next call', async () => {
    const provider = await model('never-ends.gguf', { context_tokens: 512 })
    const stop = new AbortController()
    const events: ModelEvent[] = []
    for await (const event of provider.generate({ ...asked('go'), tools: [], origin, signal: stop.signal })) {
      events.push(event)
      stop.abort(new Error('enough'))
    }
    expect(events.at(-1)).toMatchObject({ type: 'error', class: 'aborted' })
    const [pid] = engines()
    for await (const event of provider.generate({ ...asked('go'), tools: [], origin, signal: new AbortController().signal })) {
      if (event.type === 'text') break
    }
    const next = await collect(provider, { maxOutputTokens: 20 })
    expect(next.at(-1), 'after one that nobody listened to until its end').toMatchObject({ type: 'done', finish: 'length' })
    expect(engines(), 'the same process').toEqual([pid])
  })

  itNeeds(...NEEDS)('lets calls wait for each other, also those that are given up', async () => {
    const provider = await model('never-ends.gguf', { context_tokens: 512, max_tokens: 30 })
    const given = new AbortController()
    const calls = [collect(provider), collect(provider, { signal: given.signal }), collect(provider)]
    given.abort(new Error('not wanted any more'))
    const [first, second, third] = await Promise.all(calls)
    expect(second?.at(-1)).toMatchObject({ type: 'error', class: 'aborted' })
    expect([first?.at(-1), third?.at(-1)]).toMatchObject([{ type: 'done' }, { type: 'done' }])
  })

  itNeeds(...NEEDS)('tells when its process dies, and starts another for the next call', async () => {
    const provider = await model('never-ends.gguf', { context_tokens: 512 })
    const events: ModelEvent[] = []
    for await (const event of provider.generate({ ...asked('go'), tools: [], origin, signal: AbortSignal.timeout(20_000) })) {
      if (events.length === 0) for (const pid of engines()) process.kill(pid, 'SIGKILL')
      events.push(event)
    }
    expect(events.at(-1)).toMatchObject({
      type: 'error',
      class: 'crashed',
      problem: expect.stringContaining('The engine\'s process has ended: "node" was ended by SIGKILL.') as string,
    })
    expect((await collect(provider, { maxOutputTokens: 5 })).at(-1)).toMatchObject({ type: 'done' })
  })
})

const origin = { run: 'r', task: 't', step: 's', role: 'implementer', attempt: 1, turn: 0 }

describe('what keeps a broken file from harm', () => {
  /** The engine itself reads such a header without end and takes more and more memory. */
  function endless(): { folder: string; file: string } {
    const folder = temporaryFolder()
    const file = join(folder, 'endless.gguf')
    const header = Buffer.alloc(24)
    header.write('GGUF')
    header.writeUInt32LE(3, 4)
    header.writeBigUInt64LE(2n ** 40n, 8)
    header.writeBigUInt64LE(2n ** 40n, 16)
    writeFileSync(file, Buffer.concat([header, Buffer.alloc(8 * 1024 * 1024)]))
    return { folder, file }
  }
  const options = { provider: 'local', threads: 1, contextTokens: 512, clock: systemClock }
  const engine = () => findEngine({ env: ENGINE, dataDir: null }) ?? ''

  itNeeds(...NEEDS)('ends it when loading takes longer than its limit', async () => {
    const { folder, file } = endless()
    const start = startEngine({ ...options, engine: engine(), file, memoryMb: 8192, loadTimeoutMs: 900 })
    await expect(start).rejects.toMatchObject({
      class: 'timeout',
      message: 'The model was still loading after 0.9 s and was ended (load_timeout_seconds).',
    })
    expect(engines(folder)).toEqual([])
  })

  itNeeds(...NEEDS)('ends it when nobody waits for it any more', async () => {
    const { folder, file } = endless()
    const kept = createEnginePool().keep('x', (signal) =>
      startEngine({ ...options, engine: engine(), file, memoryMb: 8192, loadTimeoutMs: 60_000 }, signal),
    )
    const start = kept.engine()
    start.catch(() => undefined)
    while (engines(folder).length === 0) await delay(10)
    await kept.close()
    await expect(start).rejects.toMatchObject({ class: 'crashed' })
    expect(engines(folder)).toEqual([])
  })

  itNeeds(...NEEDS)('ends it when it takes more memory than its limit', async () => {
    const { folder, file } = endless()
    const start = startEngine({ ...options, engine: engine(), file, memoryMb: 110, loadTimeoutMs: 60_000 })
    await expect(start).rejects.toMatchObject({
      class: 'crashed',
      message: expect.stringMatching(
        /^The engine was ended: it broke the limit of 110 MB for memory with \d+ MB \(providers\.local\.memory_mb\)\.$/,
      ) as string,
    })
    await delay(10)
    expect(engines(folder)).toEqual([])
  })

  it('looks at the header before the engine does', async () => {
    const { file } = endless()
    const provider = await model(file)
    const problem = `The model "${file}" cannot be used: its header promises 1099511627776 tensors, more than any model has.`
    expect(await collect(provider)).toMatchObject([{ type: 'error', class: 'config', problem, cost: 0 }])
    expect(await provider.health(AbortSignal.timeout(1000))).toEqual({ ok: false, detail: problem })
  })
})

describe('what is missing', () => {
  it('names the file, the limit, or the command that brings the engine', async () => {
    const said = async (provider: ModelProvider) => (await collect(provider)).at(-1)
    expect(await said(await model('nowhere.gguf'))).toMatchObject({
      class: 'config',
      problem: `The model "${join(shared.folder, 'nowhere.gguf')}" cannot be used: there is no such file.`,
    })
    // The second is a name that every object has.
    for (const name of ['coder', 'constructor']) {
      writeFileSync(join(shared.folder, name), readFileSync(join(shared.folder, 'says.gguf')))
      expect(await said(await model(name))).toMatchObject({
        class: 'config',
        problem: `The model "${name}" cannot be used: no model of this name was added, and a file has a path or ends in ".gguf".`,
      })
    }
    expect(await said(await model('says.gguf', { memory_mb: 1 }))).toMatchObject({
      class: 'config',
      problem: expect.stringMatching(/has \d+ MB, and the engine may use 1 MB \(memory_mb\)\.$/) as string,
    })
    const empty = temporaryFolder()
    expect(await said(await model('says.gguf', {}, { env: { REEVE_LLAMA: empty } }))).toMatchObject({
      class: 'config',
      problem: expect.stringMatching(
        /is not installed in .* \(REEVE_LLAMA\)\. Install it: npm install --prefix ".*" --ignore-scripts --omit=optional node-llama-cpp@/,
      ) as string,
    })
  })

  it('wants a file', async () => {
    const settings = providerSettings({ kind: 'llamacpp' })
    await expect(createLlamaCpp('local', settings, { env: {}, projectRoot: '/' })).rejects.toThrow(
      'providers.local.file: a provider of kind "llamacpp" needs a GGUF file, or the name of a model that was added with: reeve models add',
    )
  })
})
