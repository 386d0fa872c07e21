import { resolve, sep } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { levelName } from '../core/isolation.ts'
import type { RunContext } from '../engine/port.ts'
import { resolveTree } from '../workspace/git.ts'
import { openProject } from '../workspace/project.ts'
import { createWorkspace, openWorkspace } from '../workspace/workspace.ts'
import { type Job, newJob } from './job.ts'
import { keepingOf, telling } from './keeping.ts'
import type { Kit } from './kit.ts'
import { checkIsolation, neededLevel } from './minimum.ts'
import { optionsOf } from './options.ts'

/** Makes the run's workspace, or opens it again after a restart. The first step of every workflow. */
export async function prepareStep(run: RunContext, kit: Kit): Promise<Job> {
  const { task } = run.row
  const options = optionsOf(run.row)
  const project = await openProject(run.row.project)
  const roles = await kit.roles(project, options.base)
  const role = roles.get(task.role)
  if (!role) throw new ReeveError('role_not_found', { role: task.role, known: [...roles.keys()].join(', ') })
  checkTargetDir(project.root, task.target_dir)
  const keeping = await keepingOf(kit, { project, base: options.base, settings: options.settings })
  checkIsolation(keeping.sandbox.report, neededLevel(run.row, [...roles.values()]))

  const place = {
    project,
    runId: run.id,
    taskId: task.id,
    role: role.branch_prefix ?? role.name,
    base: options.base,
    dataDir: kit.dataDir,
    keeping,
    ...(task.target_dir === undefined ? {} : { targetDir: task.target_dir }),
  }
  const made = await run.step({ name: 'workspace', kind: 'workspace', input: { base: options.base, task: task.id } }, async (step) => {
    // Before the first program of the run starts: it is true also when that one fails.
    await step.emit('isolation.measured', { level: levelName(keeping.sandbox.report.level), by: keeping.sandbox.report.by })
    const workspace = await telling(keeping, step, (told) =>
      createWorkspace({
        ...place,
        keeping: told,
        setup: options.settings.project.setup,
        signal: step.signal,
        timeoutMs: options.settings.runs.step_timeout_minutes * 60_000,
      }),
    )
    if (options.begin !== undefined) await workspace.restore(options.begin, { keep: false })
    step.fact({
      base: workspace.base,
      branch: workspace.branch,
      workspace: workspace.path,
      isolation: levelName(keeping.sandbox.report.level),
    })
    step.summarize(`${workspace.branch} from ${workspace.base.slice(0, 10)}`)
    return { branch: workspace.branch, path: workspace.path }
  })
  const workspace = await openWorkspace({ ...place, branch: made.branch })
  const baseTree = await resolveTree(project, options.base)
  return newJob({ run, kit, task, settings: options.settings, project, roles, workspace, keeping, baseTree })
}

function checkTargetDir(root: string, targetDir: string | undefined): void {
  if (targetDir === undefined) return
  const target = resolve(root, targetDir)
  if (target === root || target.startsWith(root + sep)) return
  throw new ReeveError('path_refused', { path: targetDir, problem: 'target_dir must be a folder inside the repository' })
}
