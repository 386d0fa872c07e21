import { parse } from 'smol-toml'
import type { Json } from '../../core/json.ts'
import type { DetectedCommand } from '../port.ts'
import { isTestFile } from '../test-layout.ts'
import { type Argv, command } from './command.ts'
import { onlyLine, recipesIn } from './make.ts'
import { member, type ProjectFiles, under } from './project-files.ts'
import { extended, type Recognised, type Runner, recognise } from './runner.ts'
import { PYTHON_LINTERS, PYTHON_TEST_RUNNERS, PYTHON_TYPE_CHECKERS, pythonStarter } from './runners-python.ts'
import { simpleCommands } from './shell-words.ts'

const MANIFESTS = [
  'pyproject.toml',
  'setup.py',
  'setup.cfg',
  'requirements.txt',
  'tox.ini',
  'pytest.ini',
  'Pipfile',
  'mypy.ini',
  'ruff.toml',
]

interface PythonProject {
  folder: string
  pyproject: { [key: string]: Json }
  /** Text of the files that name dependencies. */
  requirements: string
  tests: readonly string[]
}

async function readToml(project: ProjectFiles, path: string): Promise<{ [key: string]: Json }> {
  try {
    return parse(await project.text(path)) as { [key: string]: Json }
  } catch {
    return {}
  }
}

async function readPython(project: ProjectFiles, folder: string): Promise<PythonProject> {
  const below = (path: string) => folder === '.' || path.startsWith(`${folder}/`)
  const pyproject = under(folder, 'pyproject.toml')
  const lists = project.all.filter(
    (it) =>
      below(it) && /^(?:requirements[\w.-]*\.(?:txt|in)|Pipfile|setup\.py|setup\.cfg|tox\.ini)$/.test(it.slice(it.lastIndexOf('/') + 1)),
  )
  const texts = await Promise.all([pyproject, ...lists.slice(0, 10)].map((it) => project.text(it)))
  return {
    folder,
    pyproject: await readToml(project, pyproject),
    requirements: texts.join('\n'),
    tests: project.all.filter((it) => below(it) && it.endsWith('.py') && isTestFile(it)),
  }
}

const SCRIPT_NAMES = ['test', 'tests', 'unit']
const GATE_SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  tests: SCRIPT_NAMES,
  lint: ['lint'],
  types: ['typecheck', 'types', 'type-check', 'mypy'],
}

/** How the project itself calls the tool: a task in pyproject.toml, tox, or a one-line target of the Makefile. */
async function ownLine(project: ProjectFiles, it: PythonProject, gate: string): Promise<{ line: string; reason: string } | null> {
  const manifest = under(it.folder, 'pyproject.toml')
  const tool = member(it.pyproject, 'tool')
  const tables = [
    ['tool.poe.tasks', member(member(tool, 'poe'), 'tasks')],
    ['tool.pdm.scripts', member(member(tool, 'pdm'), 'scripts')],
    ['tool.hatch.envs.default.scripts', member(member(member(member(tool, 'hatch'), 'envs'), 'default'), 'scripts')],
  ] as const
  for (const [key, table] of tables) {
    const name = (GATE_SCRIPTS[gate] ?? []).find((name) => name in table)
    if (name === undefined) continue
    const value = table[name]
    const line = typeof value === 'string' ? value : (member(table, name)['cmd'] ?? null)
    if (typeof line === 'string') return { line, reason: `"${key}.${name}" in ${manifest} is "${line}"` }
  }
  const found = onlyLine(await recipesIn(project, it.folder), GATE_SCRIPTS[gate] ?? [])
  return found ? { line: found.line, reason: `target "${found.target}" of the Makefile is "${found.line}"` } : null
}

async function usesPytest(project: ProjectFiles, it: PythonProject): Promise<string | null> {
  if ('ini_options' in member(member(it.pyproject, 'tool'), 'pytest'))
    return `[tool.pytest.ini_options] in ${under(it.folder, 'pyproject.toml')}`
  for (const [file, section] of [
    ['pytest.ini', ''],
    ['setup.cfg', '[tool:pytest]'],
    ['tox.ini', '[pytest]'],
  ] as const) {
    const path = under(it.folder, file)
    if (project.has(path) && (await project.text(path)).includes(section)) return section === '' ? path : `${section} in ${path}`
  }
  const conftest = it.tests.find((path) => path.endsWith('conftest.py'))
  if (conftest !== undefined) return conftest
  if (/^[ \t"'-]*pytest\b/m.test(it.requirements) || /["']pytest\b/.test(it.requirements)) return 'pytest among the dependencies'
  for (const path of it.tests.slice(0, 20)) {
    const text = await project.text(path)
    if (/^[ \t]*(?:import|from)[ \t]+pytest\b/m.test(text)) return `${path} imports pytest`
    // Plain functions are collected by pytest only.
    if (/^(?:async )?def test_/m.test(text) && !/\bunittest\b/.test(text)) return `${path} has plain test functions`
  }
  return null
}

async function usesUnittest(project: ProjectFiles, it: PythonProject): Promise<string | null> {
  for (const path of it.tests.slice(0, 50))
    if (/^[ \t]*(?:import|from)[ \t]+unittest\b/m.test(await project.text(path))) return `${path} imports unittest`
  return null
}

/** `discover` as it must be called so that all tests are found: from the one folder that holds them, when there is one. */
function unittestLine(project: ProjectFiles, it: PythonProject): string {
  const within = it.tests
    .map((path) => (it.folder === '.' ? path : path.slice(it.folder.length + 1)))
    .filter((path) => /(?:^|\/)test[^/]*\.py$/.test(path))
  const top = within[0]?.split('/')[0] ?? ''
  const together = within.length > 0 && within.every((path) => path.startsWith(`${top}/`))
  if (!together) return 'python3 -m unittest discover'
  const packaged = project.has(under(it.folder, `${top}/__init__.py`))
  return packaged ? `python3 -m unittest discover -s ${top} -t .` : `python3 -m unittest discover -s ${top}`
}

/** Words that start the environment of the project go in front of the program. */
function started(line: string, argv: Argv): Argv {
  const { start } = pythonStarter(simpleCommands(line)?.at(-1)?.words ?? [])
  const [first, ...rest] = start
  return first === undefined ? argv : [first, ...rest, ...argv]
}

type Needs = { program: string; hint: string }

/** With a starter in front it is the starter that must be there; it brings the rest. */
function needsFor(argv: Argv, own: Needs): Needs {
  return argv[0] === own.program || argv[0].startsWith('python') ? own : { program: argv[0], hint: `Install ${argv[0]}.` }
}

function toCommands(it: PythonProject, gate: string, line: string, found: Recognised, reason: string): DetectedCommand[] {
  const parts = extended(found, found.runner.extend(found.own))
  const argv = started(line, parts.argv)
  const commands = [command({ ...parts, gate, tool: found.runner.tool, argv, cwd: it.folder, reason, needs: needsFor(argv, parts.needs) })]
  const covered = gate === 'tests' ? found.runner.cover?.(found.own) : undefined
  if (!covered) return commands
  const more = extended(found, covered)
  const prepare = more.prepare.map((step) => ({ ...step, argv: started(line, step.argv) }))
  const coverArgv = started(line, more.argv)
  commands.push(
    command({
      ...more,
      gate: 'coverage',
      tool: covered.tool,
      argv: coverArgv,
      prepare,
      cwd: it.folder,
      reason: `${reason}, with coverage.py`,
      typed: `coverage run -m ${found.runner.tool}`,
      needs: needsFor(coverArgv, more.needs),
    }),
  )
  return commands
}

async function lintLine(project: ProjectFiles, it: PythonProject): Promise<{ line: string; reason: string } | null> {
  const tool = member(it.pyproject, 'tool')
  const file = ['ruff.toml', '.ruff.toml'].map((name) => under(it.folder, name)).find((path) => project.has(path))
  if (file !== undefined) return { line: 'ruff check .', reason: file }
  if ('ruff' in tool) return { line: 'ruff check .', reason: `[tool.ruff] in ${under(it.folder, 'pyproject.toml')}` }
  for (const name of ['.flake8', 'setup.cfg', 'tox.ini']) {
    const path = under(it.folder, name)
    if (project.has(path) && (await project.text(path)).includes('[flake8]')) return { line: 'flake8', reason: `[flake8] in ${path}` }
  }
  return null
}

async function typesLine(project: ProjectFiles, it: PythonProject): Promise<{ line: string; reason: string } | null> {
  const tool = member(it.pyproject, 'tool')
  const pyright = under(it.folder, 'pyrightconfig.json')
  if (project.has(pyright)) return { line: 'pyright', reason: pyright }
  if ('pyright' in tool) return { line: 'pyright', reason: `[tool.pyright] in ${under(it.folder, 'pyproject.toml')}` }
  const setup = await project.text(under(it.folder, 'setup.cfg'))
  const ini = ['mypy.ini', '.mypy.ini'].map((name) => under(it.folder, name)).find((path) => project.has(path))
  const where =
    ini ??
    ('mypy' in tool ? `[tool.mypy] in ${under(it.folder, 'pyproject.toml')}` : setup.includes('[mypy]') ? '[mypy] in setup.cfg' : null)
  if (where === null) return null
  const own = member(tool, 'mypy')
  const chosen =
    'files' in own ||
    'packages' in own ||
    'modules' in own ||
    /^[ \t]*(?:files|packages)[ \t]*=/m.test(ini === undefined ? setup : await project.text(ini))
  return { line: chosen ? 'mypy' : 'mypy .', reason: where }
}

async function testsLine(project: ProjectFiles, it: PythonProject): Promise<{ line: string; reason: string } | null> {
  const pytest = await usesPytest(project, it)
  if (pytest !== null) return { line: 'python3 -m pytest', reason: pytest }
  const unittest = await usesUnittest(project, it)
  return unittest === null ? null : { line: unittestLine(project, it), reason: unittest }
}

async function detectFolder(project: ProjectFiles, folder: string): Promise<DetectedCommand[]> {
  const it = await readPython(project, folder)
  const gates: readonly (readonly [string, readonly Runner[], typeof testsLine])[] = [
    ['types', PYTHON_TYPE_CHECKERS, typesLine],
    ['lint', PYTHON_LINTERS, lintLine],
    ['tests', PYTHON_TEST_RUNNERS, testsLine],
  ]
  const commands: DetectedCommand[] = []
  for (const [gate, runners, guess] of gates) {
    for (const candidate of [await ownLine(project, it, gate), await guess(project, it)]) {
      const found = candidate ? recognise(simpleCommands(candidate.line) ?? [], runners) : null
      if (!found || !candidate) continue
      commands.push(...toCommands(it, gate, candidate.line, found, candidate.reason))
      break
    }
  }
  return commands
}

/** Python: pytest or unittest, ruff or flake8, mypy or pyright, coverage.py. */
export async function detectPython(project: ProjectFiles): Promise<DetectedCommand[]> {
  const folders = project.foldersWith(MANIFESTS)
  const loose = folders.length === 0 && project.all.some((it) => it.endsWith('.py') && isTestFile(it)) ? [project.targetDir] : []
  const found = await Promise.all([...folders, ...loose].map((folder) => detectFolder(project, folder)))
  return found.flat()
}
