import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Confinement } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { HOME_PLACES, TOOL_VARIABLES } from '../../process/toolchains.ts'
import type { Backend, BackendRequest, Unavailable } from '../backend.ts'
import { confinedEnv } from '../confined-env.ts'
import { type Door, throughDoor } from '../door.ts'
import { howToInstall } from '../improve.ts'
import type { Place, Profile } from '../port.ts'
import { thisUser } from '../this-user.ts'
import { namedOutside, type Toolchains, toolchains } from '../toolchains.ts'
import { gitLink } from '../whole-file.ts'
import { type Generated, generateEtc, HOME_LINK } from './etc.ts'
import { launchSandboxed } from './launch.ts'
import type { View } from './profile.ts'
import { hasFilter } from './seccomp.ts'
import { type SystemView, systemView } from './system.ts'

/** The system's own, never one below a folder of the user's: distributions bind permissions to the path, and the other could be anybody's. */
const BWRAP = ['/usr/bin/bwrap', '/run/current-system/sw/bin/bwrap']
// Older ones cannot forbid further user namespaces.
const OLDEST = [0, 8] as const

/** Holds programs by bubblewrap: own namespaces, an allow-list of what is there, no network, a system call filter. Linux. */
export async function createBubblewrap(request: BackendRequest): Promise<Backend | Unavailable> {
  const found = await findBwrap()
  if ('unavailable' in found) return found
  if (!hasFilter(process.arch)) return { unavailable: `There is no system call filter for ${process.arch} yet.`, improve: null }
  const [system, generated] = await Promise.all([systemView(), generateEtc(join(request.folder, 'etc'), process.arch, thisUser())])
  const tools = oncePerEnvironment((env) => toolchains({ env, realHome: request.realHome, from: request.env, read: request.settings.read }))
  return {
    level: 'os-sandbox',
    by: `bubblewrap ${found.version}`,
    env: (place, profile) => confinedEnv(request, place, profile),
    limitHolds: () => [],
    confine(place, profile): Confinement {
      const limits = request.limitsOf(place, profile)
      let named: Readonly<Record<string, string>> | undefined
      return {
        level: 'os-sandbox',
        outputBytes: limits.limits.outputBytes,
        launch: (program) =>
          throughDoor(request, profile, async (door) => {
            named ??= namedOutside(confinedEnv(request, place, profile), place)
            const view = await viewOf({
              tools: await tools(named),
              system,
              generated,
              place,
              profile,
              program,
              door,
              limits: limits.limits,
            })
            const [first = program.argv[0], ...rest] = [...(door?.words ?? []), ...program.argv]
            return await launchSandboxed({
              bwrap: found.path,
              filter: generated.filter,
              view,
              limits,
              env: program.env,
              argv: [first, ...rest],
            })
          }),
      }
    },
  }
}

async function findBwrap(): Promise<{ path: string; version: string } | Unavailable> {
  for (const path of BWRAP) {
    const stats = await stat(path).catch(() => null)
    if (!stats?.isFile()) continue
    if ((stats.mode & 0o4000) !== 0) {
      return {
        unavailable: `${path} is setuid root, which other programs can misuse.`,
        improve: { command: `sudo chmod u-s ${path}`, gain: 'a sandbox of the operating system' },
      }
    }
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }
    const { stdout } = await runProgram({ argv: [path, '--version'], cwd: '/', env, timeoutMs: 5000, trusted: true })
    const [, version = '', major = '0', minor = '0'] = /((\d+)\.(\d+)\S*)/.exec(stdout) ?? []
    const enough = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])
    return enough
      ? { path, version }
      : { unavailable: `${path} is version ${version || 'unknown'}; ${OLDEST.join('.')} or newer is needed.`, improve: null }
  }
  return { unavailable: 'bubblewrap is not installed.', improve: await howToInstall() }
}

interface Scene {
  tools: Toolchains
  system: SystemView
  generated: Generated
  place: Place
  profile: Profile
  program: { cwd: string }
  door: Door | null
  limits: View['limits']
}

async function viewOf(scene: Scene): Promise<View> {
  const { tools, system, generated, place, profile, program } = scene
  const packages = place.packages === undefined ? [] : [place.packages]
  const mayInstall = profile.kind === 'install'
  const link: (readonly [string, string])[] = place.git === undefined ? [] : [[join(place.tree, '.git'), await gitLink(place.git)]]
  const { files, folders } = await hiddenOf(place)
  return {
    readable: [
      ...system.readable,
      ...tools.shown,
      ...(place.readable ?? []),
      ...(place.readOnly === true ? [place.tree] : []),
      ...(place.git === undefined ? [] : [place.git]),
      ...(mayInstall ? [] : packages),
    ],
    kernel: system.kernel,
    masked: [...system.hidden, ...tools.private],
    shown: generated.shown,
    links: new Map([...system.links, [HOME_LINK, place.home]]),
    writable: [...(place.readOnly === true ? [] : [place.tree]), place.home, ...(place.writable ?? []), ...(mayInstall ? packages : [])],
    guarded: new Map([...link, ...(scene.door?.shown ?? []), ...files.map((it): [string, string] => [it, '/dev/null'])]),
    emptied: folders,
    cwd: program.cwd,
    limits: scene.limits,
  }
}

/** What there is of what is not to be shown: only what lies in the tree, wherever links lead. */
async function hiddenOf({ tree, hidden = [] }: Place): Promise<{ files: string[]; folders: string[] }> {
  const files = new Set<string>()
  const folders = new Set<string>()
  for (const path of hidden) {
    const real = await realpath(path).catch(() => null)
    const stats = real === null ? null : await stat(real).catch(() => null)
    if (real === null || stats === null || !real.startsWith(`${tree}/`)) continue
    ;(stats.isDirectory() ? folders : files).add(real)
  }
  return { files: [...files], folders: [...folders] }
}

type FindTools = (env: Readonly<Record<string, string>>) => Promise<Toolchains>

/** Looking for toolchains asks the file system a hundred times; it depends on few variables, which are the same for most programs. */
function oncePerEnvironment(find: FindTools): FindTools {
  const known = new Map<string, Promise<Toolchains>>()
  return (env) => {
    const key = [...TOOL_VARIABLES, ...HOME_PLACES.map((it) => it.name), 'MAVEN_OPTS'].map((it) => env[it] ?? '').join('\0')
    const found = known.get(key) ?? find(env)
    known.set(key, found)
    return found
  }
}
