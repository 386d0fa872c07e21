import type { DetectedCommand } from '../port.ts'
import { command } from './command.ts'
import { type ProjectFiles, under } from './project-files.ts'

const NEEDS = { program: 'mix', hint: 'Install Elixir, and put "mix deps.get" into [project] setup of reeve.toml.' }
/** The formatter is written into the report folder by the gate that runs it. */
const FORMATTER = '{report}/reeve_formatter.ex'

async function detectFolder(project: ProjectFiles, cwd: string): Promise<DetectedCommand[]> {
  const manifest = under(cwd, 'mix.exs')
  const shared = { cwd, reason: manifest, needs: NEEDS }
  const commands = [
    command({
      ...shared,
      gate: 'build',
      tool: 'mix-compile',
      argv: ['mix', 'compile'],
      typed: 'mix compile',
      env: { MIX_ENV: 'test' },
      report: { format: 'text', path: null },
    }),
    command({
      ...shared,
      gate: 'tests',
      tool: 'mix',
      argv: [
        'elixir',
        '-r',
        FORMATTER,
        '-S',
        'mix',
        'test',
        '--formatter',
        'ReeveFormatter',
        '--formatter',
        'ExUnit.CLIFormatter',
        '{tests}',
      ],
      typed: 'mix test',
      env: { MIX_ENV: 'test', REEVE_EXUNIT_REPORT: '{report}/exunit.jsonl' },
      report: { format: 'json', path: '{report}/exunit.jsonl' },
    }),
  ]
  if (/\{:credo\b/.test(await project.text(manifest)))
    commands.push(
      command({
        ...shared,
        gate: 'lint',
        tool: 'credo',
        argv: ['mix', 'credo', '--format', 'json'],
        reason: `:credo among the dependencies of ${manifest}`,
        typed: 'mix credo',
        report: { format: 'json', path: null },
      }),
    )
  return commands
}

/** Elixir: mix. */
export async function detectElixir(project: ProjectFiles): Promise<DetectedCommand[]> {
  const found = await Promise.all(project.foldersWith(['mix.exs']).map((folder) => detectFolder(project, folder)))
  return found.flat()
}
