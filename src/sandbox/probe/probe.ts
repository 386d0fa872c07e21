import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { ReeveError } from '../../core/errors.ts'
import type { Hold } from '../../core/isolation.ts'
import type { Confinement } from '../../process/port.ts'
import type { Place, Profile } from '../port.ts'
import { likelyCause } from './cause.ts'
import { type Played, play } from './play.ts'
import { type Attack, makeStage, type Stage } from './stage.ts'

export interface ProbeOptions {
  /** A fresh folder of mode 0700, not below /tmp (where a sandbox has a private one anyway). The caller removes it. */
  folder: string
  signal: AbortSignal
}

/** An attack that was tried. `not measured` is neither a yes nor a no. */
export interface Tried extends Hold {
  about: 'attack'
  outcome: 'held' | 'succeeded' | 'not measured'
}

/** Attack to what people call it. */
const NAMES: Readonly<Record<Attack | 'sleeper', string>> = {
  home: 'writing outside the workspace',
  secret: 'reading your home folder',
  sibling: 'reading other runs and projects',
  git: 'changing git metadata',
  tcp: 'connecting to programs of this machine',
  udp: 'sending to the network',
  socket: 'unix sockets of other programs',
  abstract: 'abstract sockets of other programs',
  environ: "reading reeve's environment",
  signal: 'signalling reeve',
  namespaces: 'new user namespaces',
  sleeper: 'processes left behind',
}

/** Without these nothing is a sandbox: it is not enough that they were not seen to fail. */
export const ESSENTIAL: ReadonlySet<string> = new Set([NAMES.home, NAMES.secret, NAMES.git])

/** They need what only Linux has. */
const LINUX_ONLY: ReadonlySet<string> = new Set(['abstract', 'environ', 'namespaces'])

/**
 * Attacks this machine from within a confinement, and says of each attack whether it holds: seen from outside, since a write into a private
 * file system succeeds too. The same attacks run unconfined at the same time: one that does not succeed there proves nothing, and is `not
 * measured`. Takes about 100 ms. Throws `sandbox_failed` with the likely cause when the confined program cannot be started.
 */
export async function probe(confineFor: (place: Place, profile: Profile) => Confinement, options: ProbeOptions): Promise<Tried[]> {
  const folder = await realpath(options.folder)
  const names = ['inside', 'outside'].map((it) => join(folder, it))
  for (const it of names) await mkdir(it, { mode: 0o700 })
  // Signals that do nothing by default.
  const [inside, outside] = await Promise.all([makeStage(join(folder, 'inside'), 'SIGURG'), makeStage(join(folder, 'outside'), 'SIGCONT')])
  try {
    const { signal } = options
    const confinement = confineFor(inside.place, { kind: 'run' })
    const [confined, free] = await Promise.all([play(inside, { confinement, signal }), play(outside, { confinement: undefined, signal })])
    if (confined.problem !== '') {
      const cause = await likelyCause(confined.problem)
      throw new ReeveError('sandbox_failed', {
        problem: cause === null ? confined.problem : `${confined.problem.replace(/\.$/, '')}. Likely: ${cause}.`,
      })
    }
    // Nothing would be measured then, and nothing found to get through.
    if (free.problem !== '')
      throw new ReeveError('sandbox_failed', {
        problem: `it could not be measured, since the same does not run without it: ${free.problem}`,
      })
    return await judge({ stage: inside, played: confined }, { stage: outside, played: free })
  } finally {
    await Promise.all([inside.close(), outside.close()])
  }
}

interface Seen {
  stage: Stage
  played: Played
}

type Outcomes = Record<Attack | 'sleeper', boolean>

async function outcomesOf({ stage, played }: Seen): Promise<Outcomes> {
  return { ...(await stage.succeeded(played.got)), sleeper: played.sleeper === 'outlived' }
}

async function judge(confined: Seen, free: Seen): Promise<Tried[]> {
  const harm = await outcomesOf(confined)
  const possible = await outcomesOf(free)
  const attacks = (Object.keys(NAMES) as (Attack | 'sleeper')[]).filter((it) => process.platform === 'linux' || !LINUX_ONLY.has(it))
  return attacks.map((attack): Tried => {
    const entry = { name: NAMES[attack], about: 'attack' } as const
    if (harm[attack]) return { ...entry, outcome: 'succeeded', grip: 'none', reason: 'tried: it succeeded' }
    const why = whyNotMeasured(attack, { possible, confined: confined.played, free: free.played })
    if (why !== null) return { ...entry, outcome: 'not measured', grip: 'none', reason: `not measured: ${why}` }
    return { ...entry, outcome: 'held', grip: 'kernel', reason: `tried: ${endOf(attack, confined.played)}` }
  })
}

function whyNotMeasured(attack: Attack | 'sleeper', seen: { possible: Outcomes; confined: Played; free: Played }): string | null {
  const { possible, confined, free } = seen
  if (!possible[attack])
    return `it does not succeed without a sandbox either (${free.refused.get(attack) ?? (free.problem || 'nothing was seen of it')})`
  if (attack === 'sleeper') return confined.sleeper === 'unseen' ? 'it was not seen to run' : null
  return confined.got.has(attack) || confined.refused.has(attack) ? null : 'it was not tried to the end'
}

/** What became of an attack that changed nothing. */
function endOf(attack: Attack | 'sleeper', { refused }: Played): string {
  if (attack === 'sleeper') return 'it died with the others'
  return refused.get(attack) ?? 'nothing came of it outside the sandbox'
}
