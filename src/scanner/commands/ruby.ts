import type { DetectedCommand } from '../port.ts'
import { type Argv, command } from './command.ts'
import { type ProjectFiles, under } from './project-files.ts'

const BUNDLE = 'Install Ruby and Bundler, and put "bundle install" into [project] setup of reeve.toml.'

async function testsOf(
  project: ProjectFiles,
  cwd: string,
  gems: string,
  starts: (...argv: Argv) => Argv,
  needs: { program: string; hint: string },
) {
  const below = (path: string) => cwd === '.' || path.startsWith(`${cwd}/`)
  const spec = project.all.find((it) => below(it) && it.endsWith('_spec.rb'))
  if (spec !== undefined && (/\brspec\b/.test(gems) || project.has(under(cwd, '.rspec')) || /(?:^|\/)spec\//.test(spec)))
    return command({
      gate: 'tests',
      tool: 'rspec',
      argv: starts('rspec', '--no-color', '--format', 'progress', '--format', 'json', '--out', '{report}/rspec.json', '{tests}'),
      cwd,
      reason: project.has(under(cwd, '.rspec')) ? under(cwd, '.rspec') : spec,
      typed: 'rspec',
      needs,
      report: { format: 'json', path: '{report}/rspec.json' },
    })
  const minitest = project.all.find((it) => below(it) && /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.rb$/.test(it))
  if (minitest === undefined) return null
  const rake = /\bTestTask\b|Minitest::TestTask|task\s+:?['"]?test\b/.test(await project.text(under(cwd, 'Rakefile')))
  const files = /(?:^|\/)test_[^/]*\.rb$/.test(minitest) ? 'test/**/test_*.rb' : 'test/**/*_test.rb'
  return command({
    gate: 'tests',
    tool: 'minitest',
    argv: rake
      ? starts('rake', 'test')
      : starts(
          'ruby',
          '-Ilib',
          '-Itest',
          '-e',
          'ARGV.take_while { |it| it != "--" }.each { |it| require File.expand_path(it) }; ARGV.replace(["-v"])',
          files,
          '{tests}',
          '--',
        ),
    cwd,
    reason: rake ? `task "test" in ${under(cwd, 'Rakefile')}` : minitest,
    typed: rake ? 'rake test' : 'ruby -Itest',
    needs:
      rake || needs.program === 'bundle'
        ? { ...needs, program: needs.program === 'rspec' ? 'rake' : needs.program }
        : { program: 'ruby', hint: 'Install Ruby.' },
    env: { TESTOPTS: '-v' },
    ...(rake ? {} : { testPaths: [files], globs: [files] }),
    report: { format: 'text', path: null },
  })
}

async function detectFolder(project: ProjectFiles, cwd: string): Promise<DetectedCommand[]> {
  const gemfile = under(cwd, 'Gemfile')
  const gems = `${await project.text(gemfile)}\n${await project.text(under(cwd, 'Gemfile.lock'))}`
  const bundled = project.has(gemfile)
  const starts = (...argv: Argv): Argv => (bundled ? ['bundle', 'exec', ...argv] : argv)
  const needs = (program: string) => (bundled ? { program: 'bundle', hint: BUNDLE } : { program, hint: `Install Ruby and ${program}.` })
  const tests = await testsOf(project, cwd, gems, starts, needs('rspec'))
  const rubocop = under(cwd, '.rubocop.yml')
  const lint =
    project.has(rubocop) || /\brubocop\b/.test(gems)
      ? command({
          gate: 'lint',
          tool: 'rubocop',
          argv: starts('rubocop', '--format', 'json', '--out', '{report}/rubocop.json', '--cache', 'false'),
          cwd,
          reason: project.has(rubocop) ? rubocop : `rubocop in ${gemfile}`,
          typed: 'rubocop',
          needs: needs('rubocop'),
          report: { format: 'json', path: '{report}/rubocop.json' },
        })
      : null
  return [lint, tests].filter((it) => it !== null)
}

/** Ruby: RSpec or minitest, RuboCop. */
export async function detectRuby(project: ProjectFiles): Promise<DetectedCommand[]> {
  const folders = project.foldersWith(['Gemfile', 'Rakefile', '.rspec', '.rubocop.yml'])
  const found = await Promise.all(folders.map((folder) => detectFolder(project, folder)))
  return found.flat()
}
