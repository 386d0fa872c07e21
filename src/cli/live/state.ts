import type { RunEvent } from '../../core/event.ts'
import { addCost, addUsage, type Cost, NO_USAGE, type Usage } from '../../core/run.ts'

/** What the live view knows of a run: only what its events told. */
export interface LiveRun {
  id: string
  title: string
  workflow: string
  status: 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled'
  /** Why it waits or how it ended. */
  message: string
  isolation: string
  steps: LiveStep[]
  /** Gates of the last gate step, in the order they began. */
  gates: LiveGate[]
  attempts: number
  usage: Usage
  cost: Cost
  /** What tries that are over have used; the calls of those at work are in their steps. */
  ended: Used
  startedAt: number | null
  finishedAt: number | null
}

interface Used {
  usage: Usage
  cost: Cost
}
const NOTHING: Used = { usage: NO_USAGE, cost: 0 }

export interface LiveStep {
  name: string
  kind: string
  role: string
  provider: string
  status: 'running' | 'succeeded' | 'failed' | 'interrupted'
  /** What happens in it now, or how it ended. */
  doing: string
  /** The calls of its try at work. */
  told: Used
  startedAt: number
  finishedAt: number | null
}

export interface LiveGate {
  name: string
  /** Where it runs: the change, the base, the proof. */
  where: string
  status: 'running' | 'passed' | 'failed' | 'warning' | 'not_run'
  introduced: number
}

export function newLiveRun(id: string, title: string, workflow: string): LiveRun {
  return {
    id,
    title,
    workflow,
    status: 'queued',
    message: '',
    isolation: '',
    steps: [],
    gates: [],
    attempts: 0,
    usage: NO_USAGE,
    cost: 0,
    ended: NOTHING,
    startedAt: null,
    finishedAt: null,
  }
}

/** The run after one more event. Pure: gives a new value. */
export function advance(run: LiveRun, event: RunEvent): LiveRun {
  const { data, ts } = event
  switch (event.type) {
    case 'run.started':
      return { ...run, status: 'running', message: '', startedAt: run.startedAt ?? ts }
    case 'isolation.measured':
      return { ...run, ...kept('isolation', text(data['level'])) }
    case 'run.waiting':
      return { ...run, status: 'waiting', message: text(data['message']) }
    case 'run.woken':
    case 'run.resumed':
      return { ...run, status: run.status === 'waiting' ? 'queued' : run.status, message: '' }
    case 'run.interrupted':
    case 'run.detached':
      return interrupted({ ...run, status: 'queued', message: text(data['message']) }, ts)
    case 'run.finished':
      return finished(run, event)
    case 'step.started':
      return stepStarted(run, event)
    case 'step.finished':
    case 'step.failed':
      return stepEnded(run, event)
    case 'usage.reported':
      return summed(onStep(run, text(data['step']), (step) => ({ ...step, told: plus(step.told, usedBy(data)) })))
    case 'agent.said':
      return doing(run, data, firstLine(text(data['text'])))
    case 'agent.acted':
      return doing(run, data, `${text(data['tool'])} ${text(data['target'])}${data['ok'] === false ? ` (${text(data['summary'])})` : ''}`)
    case 'provider.chosen':
      return onStep(run, text(data['step']), (step) => ({ ...step, provider: text(data['provider']) }))
    case 'provider.limited':
      return { ...run, message: `${text(data['provider'])}: ${text(data['problem']) || text(data['class'])}` }
    case 'gate.started':
      return gateStarted(run, data)
    case 'gate.finished':
      return gateEnded(run, data)
    case 'verdict.reached':
      return doing(run, data, text(data['summary']))
    default:
      return run
  }
}

type Data = RunEvent['data']

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function firstLine(words: string): string {
  return words.trim().split('\n').at(-1) ?? ''
}

function kept<K extends string>(key: K, value: string): { [P in K]?: string } {
  return (value === '' ? {} : { [key]: value }) as { [P in K]?: string }
}

function stepStarted(run: LiveRun, { data, ts }: RunEvent): LiveRun {
  const step: LiveStep = {
    name: text(data['step']),
    kind: text(data['kind']),
    role: text(data['role']),
    provider: text(data['provider']),
    status: 'running',
    doing: '',
    told: NOTHING,
    startedAt: ts,
    finishedAt: null,
  }
  const others = run.steps.filter((it) => it.name !== step.name)
  // A try that never ended: its process has died.
  const before = run.steps.find((it) => it.name === step.name)?.told ?? NOTHING
  const gates = step.kind === 'gate' ? [] : run.gates
  const attempts = step.kind === 'agent' ? Math.max(run.attempts, number(data['attempt'])) : run.attempts
  return { ...run, steps: [...others, step], gates, attempts, ended: plus(run.ended, before) }
}

function stepEnded(run: LiveRun, event: RunEvent): LiveRun {
  const { data, ts } = event
  const failed = event.type === 'step.failed' || data['status'] === 'failed'
  const status = data['status'] === 'interrupted' ? 'interrupted' : failed ? 'failed' : 'succeeded'
  const after = onStep(run, text(data['step']), (step) => ({
    ...step,
    status,
    doing: text(data['problem']) || text(data['summary']) || step.doing,
    told: NOTHING,
    finishedAt: ts,
  }))
  const told = run.steps.find((it) => it.name === text(data['step']))?.told ?? NOTHING
  return summed({ ...after, ended: plus(run.ended, data['usage'] === undefined ? told : usedBy(data)) })
}

/** The end of a step holds the sums of its calls: what they told by then counts only until it comes. */
function summed(run: LiveRun): LiveRun {
  return { ...run, ...run.steps.reduce((sum, it) => plus(sum, it.told), run.ended) }
}

function plus(a: Used, b: Used): Used {
  return { usage: addUsage(a.usage, b.usage), cost: addCost(a.cost, b.cost) }
}

function usedBy(data: Data): Used {
  return { usage: usageOf(data['usage']), cost: costOf(data['cost']) }
}

function usageOf(value: unknown): Usage {
  return typeof value === 'object' && value !== null ? { ...NO_USAGE, ...(value as Usage) } : NO_USAGE
}

function costOf(value: unknown): Cost {
  if (value === undefined) return 0
  return typeof value === 'number' ? value : null
}

function doing(run: LiveRun, data: Data, what: string): LiveRun {
  return onStep(run, text(data['step']), (step) => (what === '' ? step : { ...step, doing: what }))
}

/** A step by its name; a provider that took over in a step has a name of its own behind `~`. */
function onStep(run: LiveRun, name: string, change: (step: LiveStep) => LiveStep): LiveRun {
  const exact = run.steps.some((it) => it.name === name)
  const found = exact ? name : run.steps.findLast((it) => it.name.startsWith(`${name}~`))?.name
  return found === undefined ? run : { ...run, steps: run.steps.map((it) => (it.name === found ? change(it) : it)) }
}

function gateStarted(run: LiveRun, data: Data): LiveRun {
  const gate: LiveGate = { name: text(data['gate']), where: text(data['where']) || 'change', status: 'running', introduced: 0 }
  const others = run.gates.filter((it) => it.name !== gate.name || it.where !== gate.where)
  const after = { ...run, gates: [...others, gate] }
  return doing(after, data, `${gate.name}: ${text(data['command'])}`)
}

function gateEnded(run: LiveRun, data: Data): LiveRun {
  const status = text(data['status']) as LiveGate['status']
  const gates = run.gates.map((it) =>
    it.name === data['gate'] && it.where === (text(data['where']) || 'change')
      ? { ...it, status, introduced: number(data['introduced']) }
      : it,
  )
  return { ...run, gates }
}

function interrupted(run: LiveRun, ts: number): LiveRun {
  const steps = run.steps.map((it): LiveStep => (it.status === 'running' ? { ...it, status: 'interrupted', finishedAt: ts } : it))
  return { ...run, steps }
}

function finished(run: LiveRun, { data, ts }: RunEvent): LiveRun {
  const status = text(data['status']) as LiveRun['status']
  return interrupted({ ...run, status, message: text(data['message']), finishedAt: ts }, ts)
}
