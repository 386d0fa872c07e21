import type { Facts } from './facts.ts'
import type { Cause, Found, Next } from './finding.ts'

/** What helps against a cause; `{run}` is the run's id. */
const HELP: Readonly<Record<Cause, readonly (readonly [command: string, why: string])[]>> = {
  at_work: [['reeve logs -f {run}', 'watch it']],
  silent: [
    ['reeve logs {run}', 'what it did last'],
    ['reeve restart {run}', 'begin again'],
    ['reeve stop {run}', 'end it'],
  ],
  process_gone: [['reeve daemon status', 'see whether a daemon works on this data folder, and start one']],
  pausing: [['reeve resume {run}', 'take the pause back']],
  no_worker: [['reeve daemon status', 'see whether a daemon works on this data folder, and start one']],
  queue_paused: [['reeve queue resume', 'let queued runs start']],
  held: [['reeve resume {run}', 'try again, with the variables of your terminal']],
  scheduled: [],
  limits: [['reeve queue', 'what comes before it, and which limits hold it back']],
  turn: [['reeve queue', 'what comes before it']],
  next: [['reeve logs -f {run}', 'watch it']],
  approval: [
    ['reeve diff {run}', 'what would change'],
    ['reeve approve {run}', 'say yes'],
    ['reeve reject {run} --reason "..."', 'say no'],
  ],
  paused: [['reeve resume {run}', 'go on']],
  quota: [
    ['reeve providers', 'how providers are'],
    ['reeve resume {run}', 'try again now'],
  ],
  dependency: [],
  budget: [['reeve retry {run} --max-usd <n>', 'again with a larger budget']],
  crashes: [['reeve daemon logs', 'what happened before it died']],
  crash_loop: [
    ['reeve daemon logs', 'what happened before it died'],
    ['reeve retry {run}', 'try again'],
  ],
  gates: [
    ['reeve show {run}', 'all findings of the gates'],
    ['reeve diff {run}', 'what was changed'],
    ['reeve retry {run}', 'try again'],
  ],
  timeout: [['reeve retry {run} --timeout <minutes>', 'again with more time']],
  dependency_failed: [],
  provider_failed: [
    ['reeve providers test', 'ask the providers'],
    ['reeve retry {run}', 'again once they work'],
  ],
  provider_limited: [['reeve providers', 'how long it lasts']],
  isolation: [['reeve doctor', 'what this machine holds, and how to get more']],
  resource_limit: [['reeve config show', 'see [sandbox.limits]']],
  network_refused: [['reeve config show', 'see which hosts setup commands may reach']],
  disk_full: [['reeve clean --all', 'remove the workspaces of runs that have ended']],
  error: [
    ['reeve logs {run}', 'what happened'],
    ['reeve retry {run}', 'try again'],
  ],
  cancelled: [['reeve retry {run}', 'begin it again']],
  succeeded: [['reeve show {run}', 'look at it']],
}

const MOST = 5

/** What to do next, by what was found, each command once. */
export function nextFor(facts: Facts, findings: readonly Found[]): Next[] {
  const { row, dependencies } = facts
  const commands = new Map<string, string>()
  const add = (command: string, why: string) => {
    if (!commands.has(command)) commands.set(command, why)
  }
  for (const { cause } of findings) {
    for (const [command, why] of helpFor(cause, facts)) add(command.replace('{run}', row.id), why)
    if (cause === 'dependency') {
      const root = dependencies.find((it) => it.status !== 'succeeded' && it.reason !== 'dependency')
      if (root) add(`reeve diagnose ${root.run}`, 'what holds it up')
    }
    if (cause === 'dependency_failed') {
      const dead = dependencies.find((it) => it.depth === 1 && it.status !== 'succeeded')
      if (dead) add(`reeve diagnose ${dead.run}`, 'why it failed')
      add(`reeve retry ${row.id}`, 'once that has succeeded')
    }
  }
  return [...commands].slice(0, MOST).map(([command, why]) => ({ command, why }))
}

function helpFor(cause: Cause, { row }: Facts): readonly (readonly [string, string])[] {
  // More money is for those that have failed for want of it; one that waits is resumed.
  if (cause === 'budget' && row.state === 'waiting') return [['reeve resume {run}', 'try again']]
  if (cause === 'succeeded' && (row.facts.landed ?? null) === null) return [...HELP.succeeded, ['reeve land {run}', 'land its change']]
  return HELP[cause]
}
