import type { DaemonStatus } from '../../client/daemon.ts'
import type { CommandRun } from '../command-spec.ts'
import { duration } from '../figures.ts'
import { answer, type Io, say } from '../io.ts'
import { pad } from '../text.ts'
import { logLine } from './daemon-log-line.ts'

export const daemonStatus: CommandRun = async (io) => {
  const status = await (await io.daemon()).status()
  if (status === null) {
    answer(io, { running: false }, () => ['No daemon is there. The next command that needs one starts it, or: reeve serve'])
    return 4
  }
  answer(io, { running: true, daemon: status }, () => lines(io, status))
  return 0
}

export const daemonStop: CommandRun = async (io, _args, options) => {
  const daemon = await io.daemon()
  const status = await daemon.status().catch(() => null)
  if (!io.json && status !== null && status.running > 0 && options['now'] !== true) {
    const whose = status.running === 1 ? 'its step has' : 'their steps have'
    say(io, io.paint('dim', `${atWork(status)} at work: ${whose} up to ${status.drainSeconds} s to end. At once: --now`))
  }
  const stopped = await daemon.stop({ now: options['now'] === true })
  answer(io, { stopped }, () => [
    stopped ? 'The daemon has ended.' : 'No daemon was there.',
    ...(status !== null && stopped && status.running + status.queued > 0
      ? [io.paint('dim', 'Runs that have not ended go on with the next daemon, which the next command starts.')]
      : []),
  ])
  return 0
}

export const daemonRestart: CommandRun = async (io, _args, options) => {
  const status = await (await io.daemon()).restart({ now: options['now'] === true })
  answer(io, { running: true, daemon: status }, () => lines(io, status))
  return 0
}

export const daemonLogs: CommandRun = async (io, _args, options) => {
  const leave = new AbortController()
  const quiet = io.onInterrupt(() => leave.abort())
  const wanted = { lines: (options['lines'] as number | undefined) ?? 50, follow: options['follow'] === true }
  try {
    for await (const line of (await io.daemon()).logs(wanted, leave.signal)) {
      if (io.json) io.out(`${line}\n`)
      else say(io, logLine(io, line))
    }
  } finally {
    quiet()
  }
  return leave.signal.aborted ? 130 : 0
}

function lines(io: Io, it: DaemonStatus): string[] {
  const how =
    it.startedBy === 'serve' ? 'by reeve serve; it stays until somebody ends it' : 'by a command; it ends by itself when nobody needs it'
  const rows: [string, string][] = [
    ['process', `${it.pid}, reeve ${it.version}, for ${duration(io.now() - it.startedAt)}${it.draining ? ', being stopped' : ''}`],
    ['runs', `${it.running} at work, ${it.queued} queued`],
    ['address', it.url],
    ['socket', it.socket],
    ['state', it.folder],
    ['log', it.log],
    ['started', how],
  ]
  return rows.map(([name, text]) => `${io.paint('dim', pad(name, 8))} ${text}`)
}

function atWork({ running }: DaemonStatus): string {
  return running === 1 ? 'One run is' : `${running} runs are`
}
