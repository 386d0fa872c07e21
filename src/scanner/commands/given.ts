import type { GateSettings, Settings } from '../../core/settings.ts'
import type { Task } from '../../core/task.ts'
import type { DetectedCommand, ReportFormat } from '../port.ts'
import { command } from './command.ts'
import { javascriptLine } from './javascript.ts'
import type { ProjectFiles } from './project-files.ts'
import { extended, recognise } from './runner.ts'
import { OTHER_TEST_RUNNERS } from './runners-other.ts'
import { PYTHON_TEST_RUNNERS } from './runners-python.ts'
import { simpleCommands } from './shell-words.ts'

const SHELL = { program: '/bin/sh', hint: 'A POSIX shell is needed to run configured commands.' }

function formatOf(path: string): ReportFormat {
  if (/\.xml$/i.test(path)) return /cobertura|coverage/i.test(path) ? 'cobertura' : 'junit'
  if (/\.info$/i.test(path)) return 'lcov'
  return /\.tap$/i.test(path) ? 'tap' : 'sarif'
}

function shellCommand(
  gate: string,
  line: string,
  cwd: string,
  reason: string,
  report?: { format: ReportFormat; path: string | null },
): DetectedCommand {
  return command({
    gate,
    tool: 'configured',
    argv: ['/bin/sh', '-c', line],
    cwd,
    reason,
    typed: line,
    needs: SHELL,
    ...(report ? { report } : {}),
  })
}

/**
 * A test command line as a person gave it. When it is a plain call of a runner that can write a report, the report is asked for, so that
 * single tests are known; anything else is run by `sh -c` as it stands.
 */
async function testLine(project: ProjectFiles, gate: string, line: string, cwd: string, reason: string): Promise<DetectedCommand> {
  const found =
    (await javascriptLine(project, cwd, line)) ?? recognise(simpleCommands(line) ?? [], [...PYTHON_TEST_RUNNERS, ...OTHER_TEST_RUNNERS])
  // What starts an environment (`uv run`, `bundle exec`) must stay in front.
  if (!found || /\b(?:uv|poetry|pipenv|pdm|rye) run\b/.test(line)) return shellCommand(gate, line, cwd, reason)
  const parts = extended(found, found.runner.extend(found.own))
  return command({ ...parts, gate, tool: found.runner.tool, cwd, reason, typed: line })
}

/** `[gates.x]` of the settings, when they have a command and are not switched off. */
export async function configuredCommands(project: ProjectFiles, gates: Settings['gates']): Promise<DetectedCommand[]> {
  const given = Object.entries(gates).filter((it): it is [string, GateSettings] => it[1]?.enabled !== false && it[1]?.command !== undefined)
  return await Promise.all(
    given.map(async ([gate, it]) => {
      const line = it.command ?? ''
      const cwd = it.cwd ?? '.'
      const reason = `[gates.${gate}] in reeve.toml`
      if (it.report !== undefined)
        return shellCommand(gate, line, cwd, reason, { format: it.report_format ?? formatOf(it.report), path: it.report })
      if (it.report_format !== undefined) return shellCommand(gate, line, cwd, reason, { format: it.report_format, path: null })
      return gate === 'tests' ? await testLine(project, gate, line, cwd, reason) : shellCommand(gate, line, cwd, reason)
    }),
  )
}

/**
 * What the task asks for. `tests` are further commands beside the project's own; a string for `lint` or `typecheck` is that gate's command,
 * or a further one where the settings have their own; `false` switches off what would have been detected.
 */
export async function acceptedCommands(
  project: ProjectFiles,
  acceptance: Task['acceptance'],
  configured: ReadonlySet<string>,
): Promise<{ commands: DetectedCommand[]; off: string[] }> {
  const cwd = project.targetDir
  const tests = await Promise.all(
    (acceptance.tests ?? []).map((line, at) =>
      testLine(project, `acceptance-${at + 1}`, line, cwd, `"acceptance.tests" of the task, number ${at + 1}`),
    ),
  )
  const checks = [
    { gate: 'lint', key: 'lint', value: acceptance.lint },
    { gate: 'types', key: 'typecheck', value: acceptance.typecheck },
  ]
  const lines = checks.flatMap(({ gate, key, value }) =>
    typeof value === 'string' && value.trim() !== ''
      ? [shellCommand(configured.has(gate) ? `acceptance-${key}` : gate, value, cwd, `"acceptance.${key}" of the task`)]
      : [],
  )
  return { commands: [...lines, ...tests], off: checks.filter((it) => it.value === false).map((it) => it.gate) }
}
