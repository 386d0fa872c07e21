import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '../core/json.ts'
import { hashOf } from './hash.ts'
import type { Job } from './job.ts'

/** Where an agent was when its provider could not go on: with this session, by this provider, on these files it can. */
export interface GoingOn {
  provider: string
  session: string
  /** Tree hash of the files as it left them. */
  tree: string
}

/** Kept beside the workspace until the step is tried again: what was said and paid by then need not be said and paid again. */
export async function keepGoingOn(job: Job, step: string, point: GoingOn): Promise<void> {
  const file = fileFor(job, step)
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, JSON.stringify(point), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** Null where the step begins from its beginning. Good for one try: what it does to the files is not the point's any more. */
export async function readGoingOn(job: Job, step: string): Promise<GoingOn | null> {
  const file = fileFor(job, step)
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const { provider, session, tree } = parseJson(text, file) as Record<string, unknown>
    return typeof provider === 'string' && typeof session === 'string' && typeof tree === 'string' ? { provider, session, tree } : null
  } catch {
    // Cut short by a full disk: the step begins from its beginning.
    return null
  }
}

export async function dropGoingOn(job: Job, step: string): Promise<void> {
  await rm(fileFor(job, step), { force: true })
}

function fileFor(job: Job, step: string): string {
  return join(job.kit.dataDir, 'runs', job.run.id, `going-on-${hashOf(step).slice(0, 16)}.json`)
}
