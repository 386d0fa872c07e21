import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { isFinished } from '../core/run.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import { openProject } from '../workspace/project.ts'
import { type Context, pathOf, projectsOf, runNamed } from './context.ts'
import { operation } from './operation.ts'
import { projectInput, runInput } from './shapes.ts'

const attempt = z.object({ ref: z.string(), run: z.string(), number: z.int(), commit: z.string(), at: z.string(), subject: z.string() })

export const runsRescue = operation({
  name: 'runs.rescue',
  route: 'POST /api/v1/runs/{run}/rescue',
  summary: 'Lists everything that was kept of a run, keeps what is not yet, and brings an attempt back.',
  permission: 'runs:write',
  effect: 'write',
  // It may lie anywhere.
  privileged: (input) => (input.folder === undefined ? null : 'write into a folder outside of the project'),
  input: z.object({
    run: runInput,
    attempt: z.int().min(1).optional().describe('Bring back the attempt of this number.'),
    branch: z.string().min(1).optional().describe('As this new branch.'),
    folder: z.string().min(1).optional().describe('Into this new folder.'),
  }),
  output: z.object({
    run: z.string(),
    attempts: z.array(attempt),
    restored: z.object({ number: z.int(), commit: z.string(), branch: z.string().nullable(), folder: z.string().nullable() }).nullable(),
  }),
  async handler(context, input) {
    const store = await context.store()
    const row = await runNamed(context, store, input.run)
    const project = await openProject(row.project)
    if (isFinished(row.state)) await untilLeft(context, store, row)
    await keepUnsaved(context, row)
    const { listAttempts, restoreAttempt } = await import('../workspace/rescue.ts')
    const attempts = await listAttempts(project, row.id)
    if (input.attempt === undefined) return { run: row.id, attempts, restored: null }

    const wanted = attempts.find((it) => it.number === input.attempt)
    if (!wanted) throw new ReeveError('invalid_input', { problem: noAttempt(row.id, input.attempt, attempts) })
    const folder = input.folder === undefined ? null : pathOf(context, input.folder, 'folder')
    const branch = folder === null ? (input.branch ?? `rescue/${row.id}-${wanted.number}`) : null
    const commit = await restoreAttempt(project, wanted.ref, folder === null ? { branch: branch ?? '' } : { folder })
    return { run: row.id, attempts, restored: { number: wanted.number, commit, branch, folder } }
  },
})

function noAttempt(run: string, number: number, attempts: readonly { number: number }[]): string {
  const known = attempts.map((it) => it.number)
  return `Run ${run} has no attempt ${number}. ${known.length === 0 ? 'None was kept.' : `Kept: ${known.join(', ')}.`}`
}

// An aborted step ends its programs within ten seconds.
const LEAVING_MS = 15_000
const LOOK_AGAIN_MS = 100

/** A run that was just stopped may still have programs that write. */
async function untilLeft({ clock }: Context, store: Store, row: RunRow): Promise<void> {
  const until = clock.now() + LEAVING_MS
  while (await store.isAtWork(row.id)) {
    if (clock.now() > until)
      throw new ReeveError('wrong_state', {
        run: row.id,
        status: `${row.state}, but its process is still in a step`,
        action: 'this',
        allowed: 'the end of that process',
      })
    await clock.sleep(LOOK_AGAIN_MS)
  }
}

/** What lies in the workspace of a run that nobody works on, and is in no checkpoint, becomes an attempt too. */
async function keepUnsaved(context: Context, row: RunRow): Promise<void> {
  const { workspace: path, branch } = row.facts
  if (row.state === 'running' || !path || !branch) return
  const { foldersOf, readRecord } = await import('../workspace/record.ts')
  // Removed, half removed, or gone with its folder: what was kept is in the repository.
  if ((await readRecord(foldersOf(context.kit.dataDir, row.id)))?.state !== 'ready') return
  const [{ openWorkspace }, { noSandbox }] = await Promise.all([import('../workspace/workspace.ts'), import('../sandbox/unconfined.ts')])
  const workspace = await openWorkspace({
    project: await openProject(row.project),
    runId: row.id,
    dataDir: context.kit.dataDir,
    keeping: { sandbox: noSandbox, registries: () => Promise.resolve({ hosts: [], files: [], readable: [] }) },
    branch,
  })
  const changed = await workspace.changes(row.facts.commit ?? workspace.base)
  if (changed.length > 0) await workspace.keepAttempt()
}

// Far more than anybody keeps.
const ALL = 100_000

export const runsClean = operation({
  name: 'runs.clean',
  route: 'POST /api/v1/runs/clean',
  summary: 'Removes workspaces and branches of runs that have ended; everything they wrote stays in git.',
  permission: 'runs:write',
  effect: 'destructive',
  input: z.object({ run: runInput.optional(), project: projectInput, all: z.boolean().default(false).describe('Of all projects.') }),
  output: z.object({ cleaned: z.array(z.string()), failed: z.array(z.object({ run: z.string(), problem: z.string() })) }),
  async handler(context, input) {
    const store = await context.store()
    await store.recover()
    const cleaned: string[] = []
    const failed: { run: string; problem: string }[] = []
    for (const row of await endedRuns(context, store, input)) {
      try {
        await cleanRun(context, store, row)
        cleaned.push(row.id)
      } catch (error) {
        if (input.run !== undefined || !(error instanceof ReeveError)) throw error
        failed.push({ run: row.id, problem: error.message })
      }
    }
    return { cleaned, failed }
  },
})

async function endedRuns(
  context: Context,
  store: Store,
  input: { run?: string | undefined; project?: string | undefined; all: boolean },
): Promise<RunRow[]> {
  if (input.run !== undefined) {
    const row = await runNamed(context, store, input.run)
    if (isFinished(row.state)) return [row]
    throw new ReeveError('wrong_state', {
      run: row.id,
      status: row.state,
      action: 'clean',
      allowed: 'a run that has ended; to end it: reeve stop',
    })
  }
  const projects = await projectsOf(context, input)
  const rows = await store.listRuns({
    states: ['succeeded', 'failed', 'cancelled'],
    limit: ALL,
    ...(projects === null ? {} : { projects }),
  })
  // A run whose workspace could not be made, because its setup failed, has left a folder all the same.
  const folders = new Set(await readdir(join(context.kit.dataDir, 'runs')).catch(() => []))
  return rows.filter((it) => (it.facts.workspace ?? '') !== '' || folders.has(it.id))
}

async function cleanRun(context: Context, store: Store, row: RunRow): Promise<void> {
  await untilLeft(context, store, row)
  // A branch that a person has asked for stays; so does one that a person has added commits to.
  const branch = row.facts.landed?.how === 'branch' ? 'keep' : 'delete'
  const { reap } = await import('../workspace/reap.ts')
  await reap({ project: await openProject(row.project), runId: row.id, dataDir: context.kit.dataDir, branch })
  await store.setFacts(row.id, null, { workspace: '' })
}
