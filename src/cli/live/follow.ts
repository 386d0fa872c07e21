import type { RunEvent } from '../../core/event.ts'
import { type Io, remark, say, sayJson } from '../io.ts'
import { frame } from './frame.ts'
import { eventLine } from './line.ts'
import { createScreen } from './screen.ts'
import { advance, newLiveRun } from './state.ts'

export interface Followed {
  id: string
  title: string
  workflow: string
}

/** How events are shown: as JSON lines for programs, redrawn in place on a terminal, else one line each. */
export interface Follower {
  begin(): void
  show(event: RunEvent): void
  /** Leaves the last picture standing. */
  end(): void
}

const NOTHING = (): void => undefined
// Often enough to look alive; a frame is a few lines.
const REDRAW_MS = 120

export function createFollower(io: Io, runs: readonly Followed[]): Follower {
  if (io.json) return { begin: NOTHING, show: (event) => sayJson(io, event), end: NOTHING }
  return io.tty ? onTerminal(io, runs) : asLines(io, runs)
}

function asLines(io: Io, runs: readonly Followed[]): Follower {
  const several = runs.length > 1
  return {
    begin: NOTHING,
    show(event) {
      const line = eventLine(io, event, several ? event.run : '')
      if (line !== '') say(io, line)
    },
    end: NOTHING,
  }
}

function onTerminal(io: Io, runs: readonly Followed[]): Follower {
  const live = new Map(runs.map((it) => [it.id, newLiveRun(it.id, it.title, it.workflow)]))
  const screen = createScreen(io)
  const draw = () => screen.draw(frame([...live.values()], { paint: io.paint, columns: io.columns(), rows: io.rows(), now: io.now() }))
  let stop = NOTHING
  return {
    begin() {
      draw()
      stop = io.every(REDRAW_MS, draw)
    },
    show(event) {
      const run = live.get(event.run)
      if (run) live.set(event.run, advance(run, event))
    },
    end() {
      stop()
      draw()
      screen.freeze()
    },
  }
}

/** Tells the events of a stream until it is over; a Ctrl-C leaves it, a second one does not wait for the end of that. `farewell`: said at the first. */
export async function followStream(
  io: Io,
  follower: Follower,
  { events, farewell }: { events: (signal: AbortSignal) => AsyncIterable<RunEvent>; farewell: string | null },
): Promise<{ interrupted: boolean }> {
  const leave = new AbortController()
  const quiet = io.onInterrupt(() => {
    if (!leave.signal.aborted && !io.json && farewell !== null) remark(io, io.paint('dim', farewell))
    leave.abort()
  })
  follower.begin()
  try {
    for await (const event of events(leave.signal)) follower.show(event)
  } finally {
    quiet()
    follower.end()
  }
  return { interrupted: leave.signal.aborted }
}
