import type { Json } from './json.ts'

/** A fact about a run. `seq` counts from 1 without gaps per run; `ts` is epoch ms by the store's clock. */
export interface RunEvent {
  run: string
  seq: number
  ts: number
  type: EventType
  data: { [key: string]: Json }
}

/** An event among those of all runs. */
export interface FeedEvent extends RunEvent {
  /** Number in the order of all runs' events; gaps mean nothing. */
  position: number
  /** Root of the run's project. */
  project: string
}

/**
 * Every event type with what its data holds. Events are for observers; the journal (`steps`) is what a run resumes from.
 * Names are `noun.past`.
 */
export const EVENT_TYPES = {
  'run.queued': 'task, workflow, at?: it does not start before',
  'run.prioritized': 'actor, priority, before',
  'run.started': 'node, activation',
  'run.waiting': 'reason, message, until?',
  'run.woken': 'by',
  'run.interrupted': 'message: the process that worked on it is gone',
  'run.detached': 'message',
  'run.paused': 'actor',
  'run.resumed': 'actor',
  'network.reached': 'target, connections, sent, received: setup commands reached a host; bytes as they see them',
  'network.refused': 'target, reason, message: a setup command asked for a host and did not get it',
  'isolation.accepted': 'actor, level, needed: a person lets the run go on at a lower level of isolation',
  'isolation.measured': 'level, by: how the programs of the run are held from here on',
  'run.finished': 'status, reason?, message?',
  'run.landed': 'branch, commit, how, forced?',
  'plan.made': 'step, summary, parts: the titles of its parts, in order',
  'step.started': 'step, kind, role?, provider?, attempt, request',
  'step.finished':
    'step, kind, status, summary?, usage?, cost?, charged?, durationMs; charged: what budgets count where it is not the cost',
  'step.failed': 'step, kind, problem (the step will be tried again or has failed the run)',
  'agent.started': 'step, provider, program, version, model, session: a CLI agent has begun',
  'agent.noticed': 'step, level, text',
  'usage.reported':
    'step, provider, model, role, usage, cost, source: one call, or one turn of a CLI agent; `step.finished` holds the sums',
  'budget.reached': 'step, limit, unit, allowed, spent: what was written is kept; for the budget of a run, a person is asked or it ends',
  'agent.said': 'step, text (coalesced, capped)',
  'agent.acted': 'step, tool, target, ok, summary',
  'limit.broken': "step, limit, allowed, peak, unit, setting, command: an agent's command used more than it may and was ended",
  'provider.chosen': 'step, provider, model, reason, passed: why each of the others was not',
  'provider.limited': 'provider, class, retryAt?',
  'provider.failed': 'provider, class, problem',
  'gate.started': 'step, gate, command',
  'gate.finished': 'step, gate, status, introduced, total, durationMs',
  'verdict.reached': 'step, status, score, summary',
  'proof.finished': 'step, status, summary',
  'checkpoint.made': 'step, commit, message, files',
  'files.changed': 'step, commit, added, modified, deleted: paths that a checkpoint holds, 200 at most; more?: how many others',
  'attempt.kept': 'ref, commit, number',
  'attempt.rejected': 'part, attempt, summary',
  'approval.asked': 'what, message',
  'approval.given': 'what, actor, comment?',
  'approval.refused': 'what, actor, comment?',
  'message.sent': 'actor, text',
  'budget.reserved': 'step, tokens, usd, late?: what a step may use, before it uses anything; late: it tells what it used at its end only',
  'evidence.written': 'path, hash',
} as const
export type EventType = keyof typeof EVENT_TYPES

/** Is it one of these types? `run.*` stands for all that begin with `run.`, `*` for all. */
export function isOfTypes(type: string, wanted: readonly string[]): boolean {
  return wanted.some((it) => it === type || (it.endsWith('*') && type.startsWith(it.slice(0, -1))))
}
