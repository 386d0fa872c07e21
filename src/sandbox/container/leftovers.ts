import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity } from '../../process/alive.ts'
import { callEngine, type Engine } from './engine.ts'

const PROCESS = 'reeve.process'
const HOST = 'reeve.host'
const RUN = 'reeve.run'

/** What says whose a container is. Numbers of processes mean something on their own machine only, and an engine may serve several. */
export function labelsOf(self: ProcessIdentity, run: string | undefined): Record<string, string> {
  return { [HOST]: hostname(), [PROCESS]: wordOf(self), ...(run === undefined ? {} : { [RUN]: run }) }
}

/** Removes the containers of reeve processes of this machine that are dead. Returns how many. */
export async function sweepContainers(engine: Engine): Promise<number> {
  const listed = await callEngine(engine, ['ps', '--all', '--quiet', '--no-trunc', '--filter', `label=${HOST}=${hostname()}`])
  const ids = listed.stdout.split('\n').filter((it) => it !== '')
  if (ids.length === 0) return 0
  const format = `{{.Id}} {{index .Config.Labels "${PROCESS}"}}`
  const inspected = await callEngine(engine, ['inspect', '--format', format, ...ids])
  const dead: string[] = []
  for (const line of inspected.stdout.split('\n')) {
    const [id, word] = split(line)
    if (id !== '' && !(await isRunning(word))) dead.push(id)
  }
  // One call each: of several, podman removes none when one has ended meanwhile.
  await Promise.all(dead.map((id) => callEngine(engine, ['rm', '--force', '--volumes', id], 60_000)))
  return dead.length
}

/** A folder for what this process shows to containers; those of dead processes are removed, with the environments in them. */
export async function ownFolder(folder: string, self: ProcessIdentity): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) {
    const word = await readFile(join(folder, name, 'process'), 'utf8').catch(() => null)
    // One without the file is just being made.
    if (word !== null && !(await isRunning(word))) await rm(join(folder, name), { recursive: true, force: true })
  }
  const own = join(folder, String(self.pid))
  await mkdir(own, { recursive: true, mode: 0o700 })
  await writeFile(join(own, 'process'), wordOf(self), { mode: 0o600 })
  return own
}

function wordOf({ pid, started }: ProcessIdentity): string {
  return `${pid} ${started}`
}

function isRunning(word: string): Promise<boolean> {
  const [pid, started] = split(word)
  return isAlive({ pid: Number(pid), started })
}

/** At the first blank only: the start may be a date. */
function split(text: string): [string, string] {
  const at = text.indexOf(' ')
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1).trim()]
}
