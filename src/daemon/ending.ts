/** Why and how a daemon ends. */
export interface End {
  /** Who or what ended it, for its log. */
  why: string
  exitCode: number
  /** `quiet`: nothing is at work, so requests under way are answered as usual. */
  quiet: boolean
  /** Its files are another's by now: it touches none of them. */
  lost: boolean
}

/** The one end of a daemon: the first that is asked for counts; another one, or `now`, hurries it. */
export interface Ending {
  asked: Promise<End>
  wasAsked(): boolean
  /** Aborted when nothing is to be waited for any more. */
  hurry: AbortSignal
  end(how: { why: string; exitCode?: number; quiet?: boolean; lost?: boolean; now?: boolean }): void
}

export function createEnding(): Ending {
  const { promise, resolve } = Promise.withResolvers<End>()
  const hurry = new AbortController()
  let asked = false
  return {
    asked: promise,
    wasAsked: () => asked,
    hurry: hurry.signal,
    end({ why, exitCode = 0, quiet = false, lost = false, now = false }) {
      if (asked || now) hurry.abort()
      asked = true
      resolve({ why, exitCode, quiet, lost })
    },
  }
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** The first signal asks for the end, a second one hurries it; a third is left to the system. Returns how to stop listening. */
export function endOnSignals(it: NodeJS.Process, ending: Ending): () => void {
  let came = 0
  const listener = (name: NodeJS.Signals): void => {
    came += 1
    if (came > 2) it.exit(1)
    ending.end({ why: name })
  }
  for (const name of SIGNALS) it.on(name, listener)
  return () => {
    for (const name of SIGNALS) it.off(name, listener)
  }
}
