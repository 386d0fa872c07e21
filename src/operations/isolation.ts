import { refusal } from '../access/permissions.ts'
import { type Actor, isOwner } from '../core/actor.ts'
import { atLeast, type IsolationLevel, levelName } from '../core/isolation.ts'
import type { Role } from '../core/role.ts'
import type { Settings } from '../core/settings.ts'
import type { Task } from '../core/task.ts'
import { checkIsolation, neededLevel, recordedLevel, requiredLevel } from '../steps/minimum.ts'
import { optionsOf } from '../steps/options.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import { openProject } from '../workspace/project.ts'
import type { Context } from './context.ts'

/** Measures this machine for tasks that are to be submitted. Throws `isolation_too_low`; else gives the level that is in force. */
export async function levelForTasks(
  context: Context,
  { settings, roles, tasks }: { settings: Settings; roles: ReadonlyMap<string, Role>; tasks: readonly Task[] },
): Promise<IsolationLevel> {
  const { report } = await context.kit.sandbox(settings)
  const used = tasks.flatMap((task) => rolesUsed(task.workflow ?? settings.runs.workflow, task, roles))
  checkIsolation(report, atLeastFor(context.caller, requiredLevel(settings, used)))
  return report.level
}

/** `build` asks several roles; which of them, it decides on its way. */
function rolesUsed(workflow: string, task: Task, roles: ReadonlyMap<string, Role>): Role[] {
  if (workflow === 'build') return [...roles.values()]
  const role = roles.get(task.role)
  return role ? [role] : []
}

/** Measures this machine for a run that is to go on. Throws `isolation_too_low` unless what it has is enough, or is accepted. */
export async function checkRun(
  context: Pick<Context, 'kit'> & Partial<Pick<Context, 'caller'>>,
  row: RunRow,
  accepted?: IsolationLevel,
): Promise<{ level: IsolationLevel; needed: IsolationLevel }> {
  const { settings, isolation, base } = optionsOf(row)
  const { report } = await context.kit.sandbox(settings)
  // Roles are read from git only where an older reeve has submitted the run.
  const roles = isolation === undefined ? await context.kit.roles(await openProject(row.project), base) : new Map<string, Role>()
  const needed = neededLevel(row, [...roles.values()])
  checkIsolation(report, context.caller === undefined ? (accepted ?? needed) : atLeastFor(context.caller, accepted ?? needed))
  return { level: report.level, needed }
}

/**
 * What others than the owner of this machine have done is held by a sandbox, whatever the owner accepts for runs of their own: without one,
 * programs of a run read and write all that is the owner's.
 */
function atLeastFor(caller: Actor, level: IsolationLevel): IsolationLevel {
  return isOwner(caller) || atLeast(level, 'os-sandbox') ? level : 'os-sandbox'
}

/** Others than the owner may not tell agents without a sandbox what to do, nor set them to work. */
export function maySteer({ caller }: Pick<Context, 'caller'>, row: RunRow): boolean {
  const level = neededLevel(row, [])
  return atLeastFor(caller, level) === level
}

/** Throws `forbidden` where the caller may not. */
export function mustSteer(context: Pick<Context, 'caller'>, row: RunRow): void {
  if (maySteer(context, row)) return
  throw refusal(context.caller, `steer a run that is held at ${levelName(neededLevel(row, []))}`, 'an admin of all projects')
}

/** The same, and keeps what a person has accepted: with it the run may go on in any process. */
export async function acceptForRun(context: Context, store: Store, row: RunRow, accepted: IsolationLevel | undefined): Promise<void> {
  const { level, needed } = await checkRun(context, row, accepted)
  if (accepted === undefined || atLeast(level, needed)) return
  const isolation = row.facts.isolation === undefined ? {} : { isolation: levelName(recordedLevel(row, level)) }
  await store.setFacts(row.id, null, { accepted, ...isolation })
  await store.append(row.id, null, 'isolation.accepted', { actor: context.actor, level: levelName(accepted), needed: levelName(needed) })
}
