import { availableParallelism, loadavg } from 'node:os'
import { forModel } from '../../core/hostile-text.ts'
import type { AgentRequest, AgentResult } from '../port.ts'
import { admitted } from './admitted.ts'
import type { CliDeps } from './deps.ts'
import { limited, type Quiet, type WatchLimits } from './dues.ts'
import { IDLE_SECONDS, isMetered } from './metering.ts'
import type { Driver, Ended } from './play.ts'
import { promptFor } from './prompt.ts'
import { keepRecord, type StepRecord } from './record.ts'
import { nothingDone } from './result.ts'
import { setStage } from './stage.ts'
import { guardTree, NOTHING_FOUND } from './tree-guard.ts'
import { startWatch, type Watch } from './watch.ts'

const FIRST_MS = 30_000
const TOOL_MS = 15 * 60_000
/** Where nobody sees its traffic, a long thought looks like silence. */
const UNSEEN_IDLE_SECONDS = 120

/**
 * One step of an agent that is a program of its own, from what it is asked to what it has done: its home, its way to its models, the watch over
 * it, and what it did to the files. `drive` runs the program. Does not throw.
 */
export async function workBy(drive: Driver, deps: CliDeps, request: AgentRequest, quiet: Quiet): Promise<AgentResult> {
  try {
    if (request.signal.aborted) return nothingDone(request.signal.reason, request)
    const metered = isMetered(deps)
    const work = () => perform(drive, deps, request, quiet, metered)
    return metered ? await work() : await admitted(deps, request, work)
  } catch (error) {
    return nothingDone(error, request)
  }
}

async function perform(drive: Driver, deps: CliDeps, request: AgentRequest, quiet: Quiet, metered: boolean): Promise<AgentResult> {
  const { settings, adapter, clock } = deps
  const tree = await guardTree(request, deps.fileRules)
  const watch = startWatch({
    program: adapter.binary,
    clock,
    // Whoever sets a time means it.
    quiet: settings.idle_timeout_seconds === undefined ? quiet : 'nothing',
    replaceable: request.replaceable ?? false,
    metered,
    signal: request.signal,
    limits: limitsOf(deps, request, metered),
  })
  const record = keepRecord(deps, request, watch, metered)
  try {
    const ended = await played(drive, deps, request, watch, record)
    const breach = ended.broken?.breach ?? null
    if (breach !== null) request.emit({ type: 'broke', command: adapter.binary, breach })
    // Nobody takes what an aborted step has left.
    const found = request.signal.aborted ? NOTHING_FOUND : await tree.look()
    if (found.putBack !== null) request.emit({ type: 'noticed', level: 'warning', text: found.putBack })
    return record.result(ended, found)
  } catch (error) {
    // What was used counts all the same.
    return { ...nothingDone(error, request), ...record.ledger.sum() }
  } finally {
    watch.end()
    record.teller.end()
  }
}

function limitsOf({ settings, patience }: CliDeps, { limits }: AgentRequest, metered: boolean): WatchLimits {
  const idle = settings.idle_timeout_seconds
  return {
    firstMs: Math.max(patience?.firstMs ?? FIRST_MS * crowding(), (idle ?? 0) * 1000),
    idleMs: (idle ?? (metered ? IDLE_SECONDS : UNSEEN_IDLE_SECONDS)) * 1000,
    toolMs: patience?.toolMs ?? TOOL_MS,
    giveUpMs: settings.give_up_seconds * 1000,
    totalMs: limits.timeoutMs,
  }
}

/** How many times longer a start takes, since it is work for the processor, on a machine that has more to do than it can. At most four. */
function crowding(): number {
  const [load = 0] = loadavg()
  return Math.min(4, Math.max(1, Math.round(load / availableParallelism())))
}

/** Sets the stage, lets the program play, and clears everything away, however it ended. */
async function played(drive: Driver, deps: CliDeps, request: AgentRequest, watch: Watch, record: StepRecord): Promise<Ended> {
  const stage = await setStage(deps, request, {
    onTraffic: (now) => (now === 'alive' ? watch.alive() : watch.request(now)),
    onStatus: record.metered,
    onUsage: record.ledger.metered,
    onLimit: ({ limit, problem }) => watch.stop(limited(limit === 'requests' ? 'steps' : limit, problem)),
  })
  record.session = stage.session
  const { signal, alive } = watch
  const { hear, next, anew } = record
  const prompt = forModel(deps.redaction.known(promptFor(request)))
  try {
    return await drive({ deps, request, stage, prompt, signal, hear, alive, session: () => record.session, next, anew })
  } finally {
    watch.end()
    const { loginRenewed } = await stage.close()
    if (loginRenewed) request.emit({ type: 'noticed', level: 'warning', text: renewed(deps.adapter.binary) })
  }
}

function renewed(program: string): string {
  return `${program} renewed its log-in while it worked, in its own home only. If it asks you to log in again yourself, that is why.`
}
