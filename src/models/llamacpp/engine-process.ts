/**
 * The engine in a process of its own: started by `engine.ts`, never imported. Reads requests from its input, one JSON object a line, answers
 * on its output, and ends with its input.
 */
import { createInterface } from 'node:readline'
import { problemOf } from '../../core/errors.ts'
import { parseJson } from '../../core/json.ts'
import type { Chat, ChatItem, Llama, Model, NodeLlamaCpp, Sequence } from './node-llama.ts'
import type { EngineAsk, FromEngine, ToEngine } from './protocol.ts'

interface Opened {
  llama: Llama
  model: Model
  sequence: Sequence
  chat: Chat
  contextTokens: number
}

const stopping = new Map<number, AbortController>()
let opened: Opened | null = null
let work: Promise<void> = Promise.resolve()

const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
lines.on('line', (line) => hear(parseJson(line, 'a line of reeve') as unknown as ToEngine))
// Whoever asked is gone; the engine's own threads would hold the process.
lines.on('close', () => process.exit(0))

function hear(said: ToEngine): void {
  if (said.type === 'stop') {
    stopping.get(said.id)?.abort(new Error('stopped'))
    return
  }
  if (said.type === 'generate') stopping.set(said.id, new AbortController())
  // One after another: there is one context.
  work = work.then(() => (said.type === 'open' ? begin(said) : answer(said.id, said.ask)))
}

async function begin({ engine, file, threads, contextTokens }: ToEngine & { type: 'open' }): Promise<void> {
  try {
    const library = (await import(engine)) as NodeLlamaCpp
    const llama = await library.getLlama({
      gpu: false,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      maxThreads: threads,
      logLevel: 'error',
      logger: (_level, message) => void process.stderr.write(`${message.trimEnd()}\n`),
    })
    const model = await llama.loadModel({ modelPath: file })
    const context = await model.createContext({ contextSize: contextTokens, sequences: 1, threads })
    const sequence = context.getSequence()
    const chat = new library.LlamaChat({ contextSequence: sequence })
    // The engine rounds up.
    opened = { llama, model, sequence, chat, contextTokens: Math.min(contextTokens, context.contextSize) }
    tell({ type: 'ready', contextTokens: opened.contextTokens })
  } catch (error) {
    tell({ type: 'failed', problem: problemOf(error) })
  }
}

async function answer(id: number, ask: EngineAsk): Promise<void> {
  try {
    if (opened === null) throw new Error('no model is loaded')
    await generate(id, ask, opened, stopping.get(id)?.signal ?? AbortSignal.abort())
  } catch (error) {
    tell({ type: 'error', id, problem: problemOf(error) })
  } finally {
    stopping.delete(id)
  }
}

async function generate(
  id: number,
  ask: EngineAsk,
  { llama, model, sequence, chat, contextTokens }: Opened,
  signal: AbortSignal,
): Promise<void> {
  const history = historyOf(ask.messages)
  const input = chat.chatWrapper.generateContextState({ chatHistory: history }).contextText.tokenize(model.tokenizer).length
  // The engine would leave out the oldest of a prompt that does not fit, and say nothing.
  if (input + ask.leastTokens > contextTokens) return tell({ type: 'too_long', id, input, contextTokens })
  const before = sequence.tokenMeter.getState()
  const finish = await chat
    .generateResponse(history, {
      onTextChunk: (text) => tell({ type: 'text', id, text }),
      signal,
      stopOnAbortSignal: true,
      maxTokens: Math.min(ask.maxTokens, contextTokens - input - 1),
      temperature: ask.temperature,
      seed: ask.seed,
      // Edits copy what is there, letter by letter.
      repeatPenalty: false,
      contextShift: { strategy: refuseShift },
      ...(ask.grammar === null ? {} : { grammar: await llama.createGrammar({ grammar: ask.grammar }) }),
    })
    .then(({ metadata }) => (metadata.stopReason === 'maxTokens' ? 'length' : metadata.stopReason === 'abort' ? 'stopped' : 'stop'))
    // It throws the reason when nothing had been said yet.
    .catch((error: unknown) => {
      if (signal.aborted) return 'stopped' as const
      throw error
    })
  const { usedInputTokens, usedOutputTokens } = sequence.tokenMeter.getState()
  // What the context still held of an earlier prompt was not read again.
  const read = usedInputTokens - before.usedInputTokens
  const output = usedOutputTokens - before.usedOutputTokens
  tell({ type: 'done', id, finish, input, cached: Math.max(0, input - read), output })
}

function refuseShift(): never {
  throw new Error('the answer did not fit into the context')
}

function historyOf(messages: EngineAsk['messages']): ChatItem[] {
  const items = messages.map(
    ({ role, text }): ChatItem => (role === 'assistant' ? { type: 'model', response: [text] } : { type: role, text }),
  )
  return [...items, { type: 'model', response: [] }]
}

function tell(said: FromEngine): void {
  process.stdout.write(`${JSON.stringify(said)}\n`)
}
