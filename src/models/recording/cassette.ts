import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { z } from 'zod'
import { problemOf, ReeveError } from '../../core/errors.ts'
import { canonicalJson, type Json, parseJson } from '../../core/json.ts'
import type { CallOrigin, GenerateRequest, ModelEvent } from '../port.ts'

/** One call of a model, as it was asked and answered. */
export interface ModelExchange {
  kind: 'model'
  /** Epoch ms. */
  at: number
  provider: string
  model: string
  origin: CallOrigin
  request: Pick<GenerateRequest, 'messages' | 'tools' | 'schema'>
  /** Of the request: tells whether the same was asked. */
  asked: string
  events: readonly ModelEvent[]
}

/** One step of an agent that is a program of its own: what it told and what it left in the files. */
export interface AgentExchange {
  kind: 'agent'
  at: number
  provider: string
  model: string
  origin: { run: string; task: string; step: string; attempt: number; role: string }
  goal: string
  asked: string
  /** Events and result of the agent port, as they were. */
  events: readonly Json[]
  result: Json
  /** Tree hashes of the files as it found them and as it left them. */
  trees: { before: string; after: string }
  /** What it changed: content in base64, null for what it removed. */
  files: readonly { path: string; content: string | null; executable: boolean }[]
}

export type Exchange = ModelExchange | AgentExchange

/**
 * A recorded run, as it went on: of a step that had to be tried several times, by other providers or after a pause, it gives the try that came to
 * something at once. Providers that failed then are not what a replay is about.
 */
export interface Cassette {
  path: string
  /** What was answered to this turn of this step; null: nothing was recorded there. */
  model(origin: Pick<CallOrigin, 'step' | 'turn'>): ModelExchange | null
  agent(origin: Pick<CallOrigin, 'step'>): AgentExchange | null
  /** How many exchanges it holds. */
  size: number
}

/** Fingerprint of a request. */
export function askedOf(request: unknown): string {
  return createHash('sha256').update(canonicalJson(request)).digest('hex').slice(0, 16)
}

/**
 * Reads a cassette. `where`: the setting that names it. Throws `invalid_config`. A line that is cut (the process died while it wrote) is passed
 * over.
 */
export async function readCassette(path: string, where: string): Promise<Cassette> {
  const wrong = (problem: string) => new ReeveError('invalid_config', { where, problem })
  const text = await textOf(path).catch((error: unknown) => {
    throw wrong(`the recording "${path}" cannot be read: ${problemOf(error)}`)
  })
  const steps = new Map<string, Try[]>()
  let size = 0
  for (const [at, line] of text.split('\n').entries()) {
    const exchange = line === '' ? null : exchangeIn(line)
    if (exchange === null) continue
    if (!isExchange(exchange)) throw wrong(`"${path}" is no recording: line ${at + 1} is no exchange`)
    add(exchange, steps)
    size += 1
  }
  if (size === 0 && text.trim() !== '') throw wrong(`"${path}" is no recording: it holds no exchange`)

  /** This try of a step and those that came after it. */
  const since = (step: string): Try[] => {
    const all = steps.get(nameOf(step)) ?? []
    const first = all.findIndex((it) => it.step === step)
    return first === -1 ? [] : all.slice(first)
  }
  return {
    path,
    size,
    // A try that went on where the one before had to stop has the later turns only.
    model: ({ step, turn }) =>
      since(step)
        .findLast((it) => it.turns.has(turn))
        ?.turns.get(turn) ?? null,
    agent: ({ step }) => since(step).at(-1)?.agent ?? null,
  }
}

/** Anybody may have named it: a device without an end is none, and is not waited for. */
async function textOf(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { size } = await file.stat().then((it) => (it.isFile() ? it : Promise.reject(new Error('it is no file'))))
    if (size > LARGEST) throw new Error(`it is larger than ${LARGEST / 1024 ** 2} MiB`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

const LARGEST = 256 * 1024 * 1024

const event = z.looseObject({ type: z.string() })
const step = z.string()
/** As far as a broken one would break what reads it. */
const shapes = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('model'), origin: z.looseObject({ step, turn: z.number() }), asked: z.string(), events: z.array(event) }),
  z.looseObject({
    kind: z.literal('agent'),
    origin: z.looseObject({ step }),
    asked: z.string(),
    events: z.array(event),
    result: z.looseObject({ status: z.string() }),
    trees: z.looseObject({ before: z.string(), after: z.string() }),
    files: z.array(z.looseObject({ path: z.string(), content: z.string().nullable(), executable: z.boolean() })),
  }),
])

function isExchange(value: unknown): value is Exchange {
  return shapes.safeParse(value).success
}

function exchangeIn(line: string): unknown {
  try {
    return parseJson(line, 'a recording')
  } catch {
    return null
  }
}

/** One try of a step: by a program of its own, or by the turns of a model. */
interface Try {
  step: string
  agent: AgentExchange | null
  turns: Map<number, ModelExchange>
}

/** Tries of a step share its name: `implement`, `implement~2`, `implement/budget-2`. */
function nameOf(step: string): string {
  return step.replace(/(?:\/budget-\d+)?(?:~\d+)?$/, '')
}

/** A step that was begun again, after a crash or a pause, was recorded twice: the later one is what the run went on with. */
function add(exchange: Exchange, steps: Map<string, Try[]>): void {
  const { step } = exchange.origin
  const tries = steps.get(nameOf(step)) ?? []
  steps.set(nameOf(step), tries)
  const last = tries.at(-1)
  const it = tries.find((one) => one.step === step) ?? { step, agent: null, turns: new Map<number, ModelExchange>() }
  if (!tries.includes(it)) tries.push(it)
  if (exchange.kind === 'model') {
    it.agent = null
    it.turns.set(exchange.origin.turn, exchange)
    return
  }
  it.turns.clear()
  it.agent = last?.agent && last.agent.trees.after === exchange.trees.before ? goneOn(last.agent, exchange) : exchange
}

/** What a program did in two pieces, since its provider had to be waited for in between. */
function goneOn(first: AgentExchange, then: AgentExchange): AgentExchange {
  const files = new Map([...first.files, ...then.files].map((it) => [it.path, it]))
  return { ...then, trees: { ...then.trees, before: first.trees.before }, files: [...files.values()] }
}
