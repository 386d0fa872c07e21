import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { atLeast, GRIPS, ISOLATION_LEVELS, type IsolationLevel, type IsolationReport, levelName } from '../core/isolation.ts'
import { requiredLevel } from '../steps/minimum.ts'
import { type Context, projectOf, settingsOf } from './context.ts'
import { attempt, type Check, check } from './doctor-check.ts'

export const isolationSchema = z.object({
  level: z.enum(ISOLATION_LEVELS),
  /** What holds the programs, such as `bubblewrap 0.8.0`. */
  by: z.string(),
  /** Level that a run of this project, or of any other, needs to start here. */
  required: z.enum(ISOLATION_LEVELS),
  reason: z.string(),
  improve: z.object({ command: z.string(), gain: z.string() }).nullable(),
  holds: z.array(z.object({ name: z.string(), about: z.enum(['attack', 'limit']), grip: z.enum(GRIPS), reason: z.string() })),
})
type Isolation = z.infer<typeof isolationSchema>

/** Measures how programs of runs would be held, with the settings of the project, or the user's own where there is none. */
export async function isolationChecks(context: Context, path: string | undefined): Promise<{ checks: Check[]; report: Isolation | null }> {
  const project = await attempt(() => projectOf(context, path))
  const root = project instanceof ReeveError ? null : project.root
  const loaded = await attempt(() => settingsOf(context, root))
  // The project's checks say what is wrong with its settings.
  if (loaded instanceof ReeveError) return { checks: [], report: null }
  const sandbox = await attempt(() => context.kit.sandbox(loaded.settings))
  if (sandbox instanceof ReeveError) return { checks: [check('machine', 'isolation', 'missing', sandbox.message)], report: null }
  const roles = project instanceof ReeveError ? new Map() : await attempt(() => context.kit.roles(project, project.head))
  const required = requiredLevel(loaded.settings, roles instanceof ReeveError ? [] : [...roles.values()])
  const { report } = sandbox
  return { checks: [levelCheck(report, required), ...rootChecks(report, process.getuid?.())], report: { ...report, required } }
}

/** The level line: what is in force, and whether runs start with it. */
export function levelCheck(report: IsolationReport, required: IsolationLevel): Check {
  const improve = report.improve === null ? null : `For ${report.improve.gain}: ${report.improve.command}`
  const detail = `${levelName(report.level)} by ${report.by}${report.reason === '' ? '' : `: ${report.reason}`}`
  if (atLeast(report.level, required)) return check('machine', 'isolation', report.level === 'none' ? 'warning' : 'ok', detail, improve)
  return check(
    'machine',
    'isolation',
    'missing',
    `${detail.replace(/\.$/, '')}. Runs need ${levelName(required)} and do not start.`,
    improve,
  )
}

/** Root is above much of what holds others. */
export function rootChecks(report: IsolationReport, uid: number | undefined): Check[] {
  if (uid !== 0) return []
  const held = atLeast(report.level, 'os-sandbox')
  const detail = held
    ? 'reeve works as root: what would get out of the sandbox could do everything. The kernel does not count the processes of root'
    : 'reeve works as root, and so do the programs of runs: they can do everything on this machine'
  return [check('machine', 'user', 'warning', detail, 'Work as an ordinary user.')]
}
