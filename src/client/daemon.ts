/** How a daemon is. */
export interface DaemonStatus {
  pid: number
  version: string
  /** Raised when clients of before could not talk to it any more. */
  api: number
  url: string
  socket: string
  /** The data folder's state: store, logs, this daemon's files. */
  folder: string
  log: string
  /** Epoch ms. */
  startedAt: number
  /** `serve`: a person or a service manager, who also ends it. `command`: a command that needed one. */
  startedBy: 'serve' | 'command'
  /** It is being stopped. */
  draining: boolean
  /** Runs at work, and runs in the queue, of this data folder. */
  running: number
  queued: number
  /** How long a stop waits for steps at work. */
  drainSeconds: number
  /** Requests that it answers now, streams among them, besides the one that asks. */
  requests: number
}

/** The daemon of this data folder, as the command line steers it. */
export interface DaemonControl {
  /** null: none is there. Throws `daemon_failed` when it does not answer. */
  status(): Promise<DaemonStatus | null>
  /** Ends it and waits until it is gone. False: none was there. */
  stop(options: { now: boolean }): Promise<boolean>
  /** Ends it where there is one, and starts another in the background. */
  restart(options: { now: boolean }): Promise<DaemonStatus>
  /** Its log, the last lines first of all; with `follow` until the signal aborts. */
  logs(options: { lines: number; follow: boolean }, signal: AbortSignal): AsyncIterable<string>
}
