import type { Client } from '../../client/client.ts'
import { ReeveError } from '../../core/errors.ts'
import type { RunEvent } from '../../core/event.ts'
import type { RunView } from '../../core/run.ts'
import { type ExitCode, exitOf, worst } from '../exits.ts'
import { type Io, say, sayJson } from '../io.ts'
import { createFollower, type Followed, followStream } from '../live/follow.ts'
import { oneLine } from '../text.ts'
import { closing } from './closing.ts'

const HANDED_BACK = 'Detaching: the runs are handed back. Press Ctrl-C again to leave at once; nothing is lost.'

/**
 * Works on runs, or looks on while the daemon does, and shows it, until each has ended or waits for a person, who is asked here where there is
 * one. Ends with one line per run: the finished run in JSON, or how it ended. Returns the exit code: the worst of them.
 */
export async function workOn(io: Io, runs: readonly Followed[]): Promise<ExitCode> {
  const client = await io.client()
  const seen = new Map<string, number>()
  const follower = createFollower(io, runs)
  let todo = runs.map((it) => it.id)
  if (!io.json) await sayWhyTheyWait(io, client, todo)
  while (todo.length > 0) {
    const ids = todo
    const events = (signal: AbortSignal) => noting(client.stream('runs.work', { runs: ids, after: Object.fromEntries(seen) }, signal), seen)
    const farewell = client.resident ? null : HANDED_BACK
    try {
      const { interrupted } = await followStream(io, follower, { events, farewell })
      todo = interrupted ? [] : await decided(io, client, runs)
    } catch (error) {
      if (io.json || !(error instanceof ReeveError) || error.code !== 'draining') throw error
      for (const id of ids) say(io, `The daemon was stopped. Go on with: reeve resume ${id}`)
      return 130
    }
  }
  return close(io, client, runs)
}

/** Where none of them begins now, for a pause or for others that are at work: nothing to see would look like nothing that happens. */
async function sayWhyTheyWait(io: Io, client: Client, runs: readonly string[]): Promise<void> {
  // It is a remark: where it cannot be made, for somebody outside a project for instance, the work goes on.
  const queue = await client.call('queue.list', { limit: 1000 }).catch(() => null)
  const waiting = (queue?.runs ?? []).filter((it) => runs.includes(it.run) && it.reason !== null)
  const [first] = waiting
  if (first === undefined || waiting.length < runs.length) return
  say(io, io.paint('dim', `${runs.length === 1 ? 'It waits' : 'They wait'}: ${oneLine(first.reason ?? '')}. See: reeve queue`))
}

/** Numbers of the events that were shown, so that the next round begins behind them. */
async function* noting(events: AsyncIterable<RunEvent>, seen: Map<string, number>): AsyncIterable<RunEvent> {
  for await (const event of events) {
    seen.set(event.run, event.seq)
    yield event
  }
}

/** Asks the person at the terminal about each run that waits for one. Returns the runs that go on by it. */
async function decided(io: Io, client: Client, runs: readonly Followed[]): Promise<string[]> {
  if (!io.interactive || io.json) return []
  const going: string[] = []
  for (const { id } of runs) {
    const run = await client.call('runs.get', { run: id })
    if (run.status === 'waiting' && run.reason === 'approval' && (await decide(io, client, run))) going.push(id)
  }
  return going
}

async function decide(io: Io, client: Client, run: RunView): Promise<boolean> {
  say(io, `\n${io.paint('bold', oneLine(run.task.title))} ${io.paint('dim', run.id)}`)
  say(io, `  ${oneLine(run.message ?? 'The run asks for your approval.')}`)
  // Meanwhile somebody else may answer, and the run may ask the next question: the answer is to this one.
  const question = run.steps.findLast((it) => it.kind === 'approval' && it.status === 'running')?.name
  const about = { run: run.id, ...(question === undefined ? {} : { question }) }
  const leave = new AbortController()
  const quiet = io.onInterrupt(() => leave.abort())
  try {
    for (;;) {
      const answer = await io.ask('  Go on? [y]es, [n]o, [l]ater: ', leave.signal)
      const word = answer?.trim().toLowerCase() ?? 'l'
      if (word === 'l' || word === 'later') return false
      if (word === 'y' || word === 'yes') {
        await client.call('runs.approve', about)
        return true
      }
      if (word === 'n' || word === 'no') {
        const comment = (await io.ask('  Why? ', leave.signal))?.trim() ?? ''
        await client.call('runs.reject', { ...about, ...(comment === '' ? {} : { comment }) })
        return true
      }
    }
  } finally {
    quiet()
  }
}

async function close(io: Io, client: Client, runs: readonly Followed[]): Promise<ExitCode> {
  const codes: ExitCode[] = []
  for (const { id } of runs) {
    const run = await client.call('runs.get', { run: id })
    codes.push(exitOf(run))
    if (io.json) sayJson(io, run)
    else for (const line of client.resident && exitOf(run) === 130 ? goesOn(io, run) : closing(io, run)) say(io, line)
  }
  return worst(codes)
}

/** What a person is told who leaves while the daemon works on. */
function goesOn(io: Io, { id }: RunView): string[] {
  return [`The run goes on: reeve logs -f ${id}`, io.paint('dim', `Stop it with: reeve stop ${id}`)]
}
