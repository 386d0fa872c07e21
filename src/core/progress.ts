import type { RunEvent } from './event.ts'

/** What a run is at, in the words of people. */
export const STAGES = [
  'queued',
  'preparing',
  'planning',
  'writing tests',
  'implementing',
  'checking',
  'reviewing',
  'refining',
  'proving',
  'landing',
  'ended',
] as const
export type Stage = (typeof STAGES)[number]

export interface Milestone {
  /** Such as `part 1 of 3 is green`. */
  name: string
  /** Epoch ms. */
  at: number
}

export interface Progress {
  /** 0 to 100, never falling: how much of the way to a landed change is behind it, not how much time. 100 only when it has succeeded. */
  percent: number
  stage: Stage
  milestones: Milestone[]
}

/** Events that progress is read from: enough for `progressOf`. */
export const PROGRESS_EVENTS = [
  'step.started',
  'step.finished',
  'plan.made',
  'verdict.reached',
  'proof.finished',
  'run.landed',
  'run.finished',
] as const satisfies readonly RunEvent['type'][]

/** How far a run is, from its events. Pure. */
export function progressOf(events: readonly RunEvent[]): Progress {
  const tracker = createProgress()
  for (const event of events) tracker.add(event)
  return tracker.now()
}

/** The same, event by event. */
export function createProgress(): { add(event: RunEvent): void; now(): Progress } {
  let percent = 0
  let stage: Stage = 'queued'
  let parts = 1
  const milestones = new Map<string, number>()

  function reach(name: string, at: number): void {
    if (!milestones.has(name)) milestones.set(name, at)
  }

  function onStep(event: RunEvent, edge: 'from' | 'to'): void {
    const name = textOf(event, 'step')
    const place = placeOf(name, parts)
    if (place === null) return
    if (edge === 'from') stage = place.stage
    percent = Math.max(percent, place[edge])
    if (edge === 'to' && name === 'workspace') reach('workspace is ready', event.ts)
    const tests = /^part-(\d+)\/tests(?:-\d+)?\/protect$/.exec(name)?.[1]
    if (edge === 'to' && tests !== undefined) reach(`tests of part ${tests} of ${parts} are written`, event.ts)
  }

  function onVerdict(event: RunEvent): void {
    const status = textOf(event, 'status')
    const name = textOf(event, 'step')
    if (status !== 'passed' && status !== 'warning') return
    const part = /^part-(\d+)\/attempt-\d+\/gates$/.exec(name)?.[1]
    if (part !== undefined) reach(`part ${part} of ${parts} is green`, event.ts)
    if (/^(?:final|(?:direct|mend)\/attempt-\d+\/gates)$/.test(name)) reach('the whole change is green', event.ts)
  }

  return {
    add(event) {
      switch (event.type) {
        case 'step.started':
          return onStep(event, 'from')
        case 'step.finished':
          // What failed is still to be done.
          return event.data['status'] === 'failed' ? undefined : onStep(event, 'to')
        case 'plan.made':
          parts = Math.max(1, Array.isArray(event.data['parts']) ? event.data['parts'].length : 1)
          return reach(`plan is made: ${parts} ${parts === 1 ? 'part' : 'parts'}`, event.ts)
        case 'verdict.reached':
          return onVerdict(event)
        case 'proof.finished':
          return textOf(event, 'status') === 'proved' ? reach('the tests are proved', event.ts) : undefined
        case 'run.landed':
          return reach(`landed on ${textOf(event, 'branch')}`, event.ts)
        case 'run.finished':
          stage = 'ended'
          percent = textOf(event, 'status') === 'succeeded' ? 100 : percent
          return undefined
        default:
          return undefined
      }
    },
    now: () => ({ percent: Math.floor(percent), stage, milestones: [...milestones].map(([name, at]) => ({ name, at })) }),
  }
}

interface Place {
  stage: Stage
  /** Percent of the way when it begins, and when it is done. */
  from: number
  to: number
}

// The way through the built-in workflows. Agents and gates over the parts are most of it.
const PLACES: readonly (readonly [step: RegExp, place: Place])[] = [
  [/^workspace$/, { stage: 'preparing', from: 1, to: 5 }],
  [/^plan(?:-\d+)?$/, { stage: 'planning', from: 5, to: 15 }],
  [/^direct\/attempt-\d+\/implement$/, { stage: 'implementing', from: 5, to: 60 }],
  [/^direct\/attempt-\d+\/gates$/, { stage: 'checking', from: 60, to: 90 }],
  [/^refine(?:\/|$)/, { stage: 'refining', from: 80, to: 84 }],
  [/^final$/, { stage: 'proving', from: 84, to: 95 }],
  [/^mend\/attempt-\d+\/implement$/, { stage: 'implementing', from: 84, to: 90 }],
  [/^mend\/attempt-\d+\/gates$/, { stage: 'proving', from: 90, to: 95 }],
  [/^(?:publish|evidence(?:\/.*)?|risk)$/, { stage: 'landing', from: 95, to: 98 }],
  [/^land(?:-\d+)?$/, { stage: 'landing', from: 98, to: 100 }],
]

// The same within one part of a plan, as shares of it.
const PART_PLACES: readonly (readonly [step: RegExp, place: Place])[] = [
  [/^tests(?:-\d+)?$/, { stage: 'writing tests', from: 0, to: 0.2 }],
  [/^tests(?:-\d+)?\//, { stage: 'writing tests', from: 0.2, to: 0.3 }],
  [/^attempt-\d+\/implement$/, { stage: 'implementing', from: 0.3, to: 0.7 }],
  [/^attempt-\d+\/gates$/, { stage: 'checking', from: 0.7, to: 1 }],
  [/^attempt-\d+\/review$/, { stage: 'reviewing', from: 0.7, to: 0.7 }],
]
const PARTS: readonly [from: number, to: number] = [15, 80]

function placeOf(step: string, parts: number): Place | null {
  // A try by another provider, or with more money, is the same place.
  const name = step.replace(/~\d+$/, '').replace(/\/budget-\d+$/, '')
  const part = /^part-(\d+)\/(.*)$/.exec(name)
  if (part === null) return PLACES.find(([it]) => it.test(name))?.[1] ?? null
  const place = PART_PLACES.find(([it]) => it.test(part[2] ?? ''))?.[1]
  if (place === undefined) return null
  const share = (PARTS[1] - PARTS[0]) / parts
  const begin = PARTS[0] + share * (Math.min(Number(part[1]), parts) - 1)
  return { stage: place.stage, from: begin + share * place.from, to: begin + share * place.to }
}

function textOf(event: RunEvent, key: string): string {
  const value = event.data[key]
  return typeof value === 'string' ? value : ''
}
