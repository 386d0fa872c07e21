import type { Redaction } from '../../core/redact.ts'
import { speaker } from '../loop/ask.ts'
import type { AgentEvent } from '../port.ts'
import { firstLine } from '../tools/cap.ts'
import type { CliEvent } from './port.ts'

type ToolEvent = Extract<CliEvent, { t: 'tool' }>

/** Of what came in pieces; observers are told less of it. */
const COMPARED = 16_384

/** Warnings, retries and refusals that are told of one step: a program that floods us with them says nothing new. */
const MOST_ASIDES = 200
/** Of a name. */
const LONGEST_WORD = 200

export interface Teller {
  tell(event: CliEvent): void
  /** The program has ended: what is held back is told, calls that were under way are over. */
  end(): void
}

/** What it is: told with the first event, when the program has said what it knows of itself. */
export interface Told {
  program: string
  version: string | null
  model: string | null
  session: string | null
}

/** Tells observers what a program does, redacted, what it says in pieces of a readable size. */
export function tellEvents(about: Told, { redact, stream }: Redaction, emit: (event: AgentEvent) => void): Teller {
  const running = new Map<string, ToolEvent>()
  const newSpeech = () => speaker(emit, stream())
  let speech = newSpeech()
  let started = false
  let asides = 0
  let said = ''

  const silence = (): void => {
    speech.end()
    speech = newSpeech()
    said = ''
  }
  const word = (text = '') => firstLine(redact(text.slice(0, LONGEST_WORD)))
  const begin = (event: CliEvent): void => {
    if (started) return
    started = true
    const own = event.t === 'started' ? event : null
    const { program } = about
    emit({
      type: 'started',
      program,
      version: word(own?.version) || about.version,
      model: word(own?.model) || about.model,
      session: word(own?.session) || about.session,
    })
  }
  const acted = (call: ToolEvent, ok: boolean, summary: string): void => {
    emit({ type: 'acted', tool: word(call.name), target: firstLine(redact(call.target ?? '')), ok, summary: firstLine(redact(summary)) })
  }
  return {
    tell(event) {
      begin(event)
      if (['denied', 'retry', 'notice'].includes(event.t) && (asides += 1) > MOST_ASIDES) return
      switch (event.t) {
        case 'text':
          // Some say the same answer twice: as it comes, and whole.
          if (event.final === true && said !== '' && said.trim() === event.text.slice(0, COMPARED).trim()) return silence()
          speech.add(event.text)
          said = event.final === true ? '' : (said + event.text).slice(0, COMPARED)
          return event.final === true ? silence() : undefined
        case 'tool': {
          silence()
          if (event.phase === 'start') return void running.set(event.id, event)
          const call = running.get(event.id) ?? event
          running.delete(event.id)
          return acted({ ...call, target: event.target ?? call.target ?? '' }, event.ok ?? true, event.output ?? '')
        }
        case 'denied':
          return emit({ type: 'acted', tool: word(event.tool), target: firstLine(redact(event.target)), ok: false, summary: 'not allowed' })
        case 'retry':
          return emit({ type: 'retrying', class: event.class, problem: redact(event.problem), inMs: event.delayMs ?? 0 })
        case 'notice':
          return emit({ type: 'noticed', level: event.level, text: redact(event.text) })
        default:
      }
    },
    end() {
      speech.end()
      for (const call of running.values()) acted(call, false, 'not finished')
      running.clear()
    },
  }
}
