import type { Json } from '../../core/json.ts'
import type { Redaction } from '../../core/redact.ts'
import type { ModelProvider } from '../../models/port.ts'
import type { Outcome } from '../loop/ending.ts'
import type { Checked } from '../loop/output.ts'
import type { Purse } from '../loop/purse.ts'
import type { AgentRequest } from '../port.ts'
import type { ToolContext } from '../tools/tool.ts'
import type { Wish } from './shown-files.ts'

/** What one run has come to. */
export interface Work extends Outcome {
  wishes: Wish[]
  log: string[]
  /** The last proposal, and what was wrong with it. */
  last: { key: string; problem: string | null } | null
  badShapes: number
  badEdits: number
  cuts: number
  /** Tokens of the model for one that is estimated. */
  density: number
  narrowed: number
  noticed: boolean
}

/** What all turns of one run share. */
export interface Turns {
  work: Work
  purse: Purse
  request: AgentRequest
  provider: ModelProvider
  context: ToolContext
  redaction: Redaction
  schema: { [key: string]: Json }
  check: (value: Json) => Checked
  system: string
  maxSteps: number
  signal: AbortSignal
}

export function emptyWork(): Work {
  return {
    text: '',
    output: null,
    turn: 0,
    purse: null,
    wishes: [],
    log: [],
    last: null,
    badShapes: 0,
    badEdits: 0,
    cuts: 0,
    density: 1,
    narrowed: 0,
    noticed: false,
  }
}
