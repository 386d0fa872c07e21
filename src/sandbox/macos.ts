import { realpath } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import type { Confinement, Launch, StartedProgram } from '../process/port.ts'
import { which } from '../process/which.ts'
import type { Backend, BackendRequest, Unavailable } from './backend.ts'
import { confinedEnv } from './confined-env.ts'
import { type Door, throughDoor } from './door.ts'
import { heard } from './heard.ts'
import type { RunLimits, Watch } from './limits/port.ts'
import { seatbeltProfile } from './macos-profile.ts'
import type { Place, Profile } from './port.ts'
import { namedOutside, toolchains } from './toolchains.ts'

const SANDBOX_EXEC = '/usr/bin/sandbox-exec'
/** Tells by its descriptor that the sandbox stands, then becomes the program. */
const BEGIN = 'printf . >&3; exec 3>&-; exec "$@"'

/**
 * Holds programs by macOS's own `sandbox-exec`, which Apple calls deprecated and everybody uses. UNVERIFIED: written from what is documented,
 * never run; what it holds is what the probe finds at start. There are no namespaces: the loopback is the machine's, and what leaves
 * its session is found by its mark only.
 */
export async function createMacos(request: BackendRequest): Promise<Backend | Unavailable> {
  if (process.platform !== 'darwin') return { unavailable: 'sandbox-exec is a program of macOS.', improve: null }
  if ((await which(SANDBOX_EXEC, '')) === null) return { unavailable: `${SANDBOX_EXEC} is not there.`, improve: null }
  return {
    level: 'os-sandbox',
    by: `sandbox-exec, Darwin ${release()}`,
    // Tests talk to themselves over the loopback, and here there is only one for all.
    leavesOpen: ['connecting to programs of this machine'],
    env: (place, profile) => confinedEnv(request, place, profile),
    limitHolds: () => [],
    confine(place, profile): Confinement {
      const limits = request.limitsOf(place, profile)
      return {
        level: 'os-sandbox',
        outputBytes: limits.limits.outputBytes,
        launch: (program) =>
          throughDoor(request, profile, async (door) => {
            const text = await profileText({ request, place, profile, door })
            return await launchSeatbelt({ text, limits, door, program })
          }),
      }
    },
  }
}

interface Scene {
  request: BackendRequest
  place: Place
  profile: Profile
  door: Door | null
}

/** The profile of one program, with real paths. */
async function profileText({ request, place, profile, door }: Scene): Promise<string> {
  const packages = place.packages === undefined ? [] : [place.packages]
  const installs = profile.kind === 'install'
  const tools = await toolchains({
    env: namedOutside(confinedEnv(request, place, profile), place),
    realHome: request.realHome,
    from: request.env,
    read: request.settings.read,
  })
  const git = place.git === undefined ? [] : [place.git]
  const shown = [...(door?.shown.values() ?? [])]
  return seatbeltProfile({
    readable: await real([
      ...tools.shown,
      ...(place.readOnly === true ? [place.tree] : []),
      ...(place.readable ?? []),
      ...git,
      ...(installs ? [] : packages),
      ...shown,
    ]),
    writable: await real([
      ...(place.readOnly === true ? [] : [place.tree]),
      place.home,
      ...(place.writable ?? []),
      ...(installs ? packages : []),
    ]),
    guarded: [join(await realpath(place.tree), '.git')],
    hidden: [...(place.hidden ?? [])],
    sockets: await real(shown),
  })
}

/** What is not there needs no rule. */
async function real(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((it) => realpath(it).catch(() => null)))
  return found.filter((it) => it !== null)
}

interface Sandboxed {
  text: string
  limits: RunLimits
  door: Door | null
  program: Parameters<Confinement['launch']>[0]
}

async function launchSeatbelt({ text, limits, door, program }: Sandboxed): Promise<Launch> {
  // Nothing is mounted: what a door shows is used where it lies.
  const words = (door?.words ?? []).map((it) => door?.shown.get(it) ?? it)
  const inner = [...limits.inner({ namespace: false }), '/bin/sh', '-c', BEGIN, 'reeve', ...words, ...program.argv]
  const [first = SANDBOX_EXEC, ...rest] = [...(await limits.outer()), SANDBOX_EXEC, '-p', text, ...inner]
  let begun = false
  let child: StartedProgram | null = null
  let watch: Watch | null = null
  return {
    argv: [first, ...rest],
    cwd: program.cwd,
    env: program.env,
    descriptors: ['pipe'],
    diesWhole: false,
    started(process, broken) {
      child = process
      process.stdio[3]?.on('data', () => {
        begun = true
      })
      process.stdio[3]?.on('error', () => {})
      watch = limits.watch({ kind: 'plain', pid: process.pid ?? 0 }, broken)
    },
    async end() {
      if (child !== null && !begun) await heard(child, [3])
      const seen = await watch?.end(child === null ? undefined : { code: child.exitCode, signal: child.signalCode })
      return { usage: seen?.usage ?? null, breach: seen?.breach ?? null, failure: begun ? null : 'sandbox-exec did not start it.' }
    },
  }
}
