import { join, resolve } from 'node:path'
import type { ProcessIdentity } from '../../process/alive.ts'
import type { Confinement } from '../../process/port.ts'
import type { BackendRequest } from '../backend.ts'
import { throughDoor } from '../door.ts'
import type { Limits } from '../limits/port.ts'
import { limitTools } from '../limits/words.ts'
import type { Place, Profile } from '../port.ts'
import { thisUser } from '../this-user.ts'
import { gitLink } from '../whole-file.ts'
import type { Mount } from './arguments.ts'
import type { Engine } from './engine.ts'
import type { Image } from './image.ts'
import { INSIDE, launchContained } from './launch.ts'
import { labelsOf } from './leftovers.ts'

/** What all containers of this process have in common. */
export interface Housing {
  request: BackendRequest
  engine: Engine
  image: Image
  self: ProcessIdentity
  /** Of this process alone. */
  folder: string
  /** Node inside: reeve's own, shown there, or the image's. */
  node: string
  /** File of the system call filter; null: the engine's own. */
  filter: string | null
}

/** Programs of a place, each in a container of its own. */
export function housed(housing: Housing, place: Place, profile: Profile): Confinement {
  const { request, engine, image, self, folder, node, filter } = housing
  const limits = request.limitsOf(place, profile)
  const { uid, gid } = thisUser()
  const possible = withinHard(limits.limits)
  const shown = shownOf(housing, place, profile)
  return {
    level: 'container',
    outputBytes: limits.limits.outputBytes,
    launch: (program) =>
      throughDoor(request, profile, async (door) => {
        const [first = node, ...rest] = [...(door?.words ?? []), ...program.argv].map((it) => (it === process.execPath ? node : it))
        const mounts = [
          ...shown,
          ...(await gitFile(place)),
          ...[...(door?.shown ?? [])].map(([at, from]) => ({ from, at, written: false })),
        ]
        const view = { labels: labelsOf(self, place.run), image, user: { uid, gid }, cwd: program.cwd, limits: possible, filter }
        return await launchContained({ engine, view, mounts, folder, limits, env: program.env, argv: [first, ...rest] })
      }),
  }
}

/** What this process is not allowed itself it cannot give to a container. */
function withinHard(limits: Limits): Limits {
  const { hard } = limitTools()
  return {
    ...limits,
    openFiles: Math.min(limits.openFiles, hard.openFiles),
    processes: Math.min(limits.processes, hard.processes),
    fileBytes: Math.min(limits.fileBytes, hard.fileBytes),
    cpuSeconds: Math.min(limits.cpuSeconds, hard.cpuSeconds),
  }
}

/** Folders of the host at the same paths inside. What is written comes last: it may lie in a folder that is read. */
function shownOf({ request, node }: Housing, place: Place, profile: Profile): Mount[] {
  const packages = place.packages === undefined ? [] : [place.packages]
  const installs = profile.kind === 'install'
  const trees = place.readOnly === true ? { read: [place.tree], written: [] } : { read: [], written: [place.tree] }
  const named = request.settings.read.map((it) => resolve(request.realHome, it.replace(/^~\//, './')))
  const readable = [
    ...named,
    ...trees.read,
    ...(place.readable ?? []),
    ...(place.git === undefined ? [] : [place.git]),
    ...(installs ? [] : packages),
  ]
  const writable = [...trees.written, place.home, ...(place.writable ?? []), ...(installs ? packages : [])]
  const mounts = new Map<string, Mount>()
  for (const path of readable) mounts.set(path, { from: path, at: path, written: false })
  for (const path of writable) mounts.set(path, { from: path, at: path, written: true })
  const own = node.startsWith(`${INSIDE}/`) ? [{ from: process.execPath, at: node, written: false }] : []
  return [...mounts.values(), ...own]
}

/** The tree's `.git` file leads to the git directory of the run, not to the user's own. */
async function gitFile({ tree, git }: Place): Promise<Mount[]> {
  if (git === undefined) return []
  return [{ from: await gitLink(git), at: join(tree, '.git'), written: false }]
}
