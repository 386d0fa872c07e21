import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
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
  /** What it changed: content in base64, null for what it removed. */
  files: readonly { path: string; content: string | null; executable: boolean }[]
}

export type Exchange = ModelExchange | AgentExchange

/** A recorded run: its exchanges, the last of each place. */
export interface Cassette {
  path: string
  /** What was answered to this turn of this step; null: nothing was recorded there. */
  model(origin: Pick<CallOrigin, 'step' | 'turn'>): ModelExchange | null
  agent(origin: Pick<CallOrigin, 'step'>): AgentExchange | null
  size: number
}

/** Fingerprint of a request. */
export function askedOf(request: unknown): string {
  return createHash('sha256').update(canonicalJson(request)).digest('hex').slice(0, 16)
}

/** Reads a cassette. `where`: the setting that names it. Throws `invalid_config`. A last line that is cut (the process died) is passed over. */
export async function readCassette(path: string, where: string): Promise<Cassette> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ReeveError('invalid_config', { where, problem: `the recording "${path}" cannot be read: ${problemOf(error)}` })
  })
  const found = new Map<string, Exchange>()
  const lines = text.split('\n')
  // What follows the last line end was not written whole.
  for (const [at, line] of lines.slice(0, -1).entries()) {
    const exchange = parseJson(line, `${path}:${at + 1}`) as unknown as Exchange
    if (exchange.kind !== 'model' && exchange.kind !== 'agent') {
      throw new ReeveError('invalid_config', { where, problem: `"${path}" is no recording: line ${at + 1} is no exchange` })
    }
    // A step that was begun again after a crash was recorded twice: the later one is what the run went on with.
    found.set(keyOf(exchange), exchange)
  }
  return {
    path,
    size: found.size,
    model: ({ step, turn }) => (found.get(`model ${step} ${turn}`) ?? null) as ModelExchange | null,
    agent: ({ step }) => (found.get(`agent ${step}`) ?? null) as AgentExchange | null,
  }
}

function keyOf(exchange: Exchange): string {
  return exchange.kind === 'model' ? `model ${exchange.origin.step} ${exchange.origin.turn}` : `agent ${exchange.origin.step}`
}
