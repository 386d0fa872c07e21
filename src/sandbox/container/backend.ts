import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { problemOf } from '../../core/errors.ts'
import { type ProcessIdentity, thisProcess } from '../../process/alive.ts'
import { runProgram } from '../../process/run-program.ts'
import type { Backend, BackendRequest, Unavailable } from '../backend.ts'
import { type Housing, housed } from './confine.ts'
import { ENGINE_KINDS, type Engine, findEngine, saidBy } from './engine.ts'
import { containerEnv } from './env.ts'
import { holdsOf } from './holds.ts'
import { findImage, type Image } from './image.ts'
import { INSIDE } from './launch.ts'
import { ownFolder, sweepContainers } from './leftovers.ts'
import { narrowed } from './seccomp.ts'

// The oldest that has all that the probe and the way out use.
const OLDEST_NODE = 22

/**
 * Holds each program in a container of its own, of the image `sandbox.image`: its toolchains are the image's, not this machine's. Containers
 * that a dead reeve left are removed. Nothing is downloaded.
 */
export async function createContainer(request: BackendRequest): Promise<Backend | Unavailable> {
  const name = request.settings.image
  if (name === undefined) {
    return {
      unavailable: 'No container image is named: set image in [sandbox] to one with the toolchains of your projects.',
      improve: null,
    }
  }
  try {
    return await prepare(request, name)
  } catch (error) {
    return { unavailable: `Containers cannot be used: ${problemOf(error)}`, improve: null }
  }
}

async function prepare(request: BackendRequest, name: string): Promise<Backend | Unavailable> {
  const found = await choose(request, name)
  if ('unavailable' in found) return found
  const { engine, image } = found
  const self = await thisProcess()
  const folder = await ownFolder(join(request.folder, 'containers'), self)
  const housing = { request, engine, image, self, folder, filter: await narrowedFilter(engine, folder) }
  await sweepContainers(engine)
  const node = await findNode(housing)
  if ('unavailable' in node) return node
  return {
    level: 'container',
    by: `${engine.kind} ${engine.version}${engine.rootless ? '' : ', which runs as root'}, image ${name}`,
    env: (place, profile) => containerEnv(request, image, place, profile),
    limitHolds: () => holdsOf(engine),
    confine: (place, profile) => housed({ ...housing, node: node.path }, place, profile),
  }
}

/** Podman's own filter lets programs make namespaces, which is what its containers in containers need. Where it cannot be read the probe decides. */
async function narrowedFilter({ kind, filter }: Engine, folder: string): Promise<string | null> {
  const text = filter === null ? null : await readFile(filter, 'utf8').catch(() => null)
  if (text === null) return null
  const path = join(folder, 'filter.json')
  await writeFile(path, narrowed(text, `the system call filter of ${kind}`), { mode: 0o600 })
  return path
}

/** The first engine that answers and has the image; without root before with root. */
async function choose(request: BackendRequest, name: string): Promise<{ engine: Engine; image: Image } | Unavailable> {
  const asked = await Promise.all(ENGINE_KINDS.map((kind) => findEngine(kind, request.env)))
  const engines = asked.filter((it) => typeof it !== 'string').toSorted((a, b) => Number(b.rootless) - Number(a.rootless))
  for (const engine of engines) {
    const image = await findImage(engine, name)
    if (image !== null) return { engine, image }
  }
  const [first] = engines
  const gain = 'a container for the programs of runs (L3)'
  if (!first) return { unavailable: asked.filter((it) => typeof it === 'string').join(' '), improve: null }
  const names = engines.map((it) => it.kind).join(' and ')
  return { unavailable: `${names} has no image "${name}".`, improve: { command: `${first.kind} pull ${name}`, gain } }
}

/**
 * Starts a container as every program will get one, and looks which Node it can run: the one reeve runs in, which fits most images, or
 * else one of the image.
 */
async function findNode(housing: Omit<Housing, 'node'> & { self: ProcessIdentity }): Promise<{ path: string } | Unavailable> {
  const { engine, image, folder } = housing
  const own = `${INSIDE}/node`
  const tree = await mkdtemp(join(folder, 'trial-'))
  try {
    const home = join(tree, 'home')
    await mkdir(home)
    const place = { tree, home }
    const tried = await runProgram({
      argv: ['/bin/sh', '-c', '"$0" --version > /dev/null 2>&1 && echo own || node --version', process.execPath],
      cwd: tree,
      env: containerEnv(housing.request, image, place, { kind: 'run' }),
      timeoutMs: 60_000,
      confinement: housed({ ...housing, node: own }, place, { kind: 'run' }),
    })
    if (tried.ended !== 'exited') return { unavailable: `${engine.kind} does not start containers: ${saidBy(tried)}`, improve: null }
    const said = tried.stdout.trim()
    if (said === 'own') return { path: own }
    const version = Number(/^v(\d+)\./.exec(said)?.[1] ?? 0)
    if (version >= OLDEST_NODE) return { path: 'node' }
    const needed = `reeve's own Node.js does not run in it, and it has none of version ${OLDEST_NODE} or newer`
    return { unavailable: `The image "${image.name}" cannot be used: ${needed}.`, improve: null }
  } catch (error) {
    return { unavailable: `${engine.kind} does not start containers: ${problemOf(error)}`, improve: null }
  } finally {
    await rm(tree, { recursive: true, force: true })
  }
}
