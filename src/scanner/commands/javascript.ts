import type { Json } from '../../core/json.ts'
import type { DetectedCommand } from '../port.ts'
import { isTestFile } from '../test-layout.ts'
import { type Argv, command } from './command.ts'
import { member, type ProjectFiles, under } from './project-files.ts'
import { extended, type Recognised, type Runner, recognise } from './runner.ts'
import { JAVASCRIPT_LINTERS, JAVASCRIPT_TEST_RUNNERS, JAVASCRIPT_TYPE_CHECKERS, withoutStarter } from './runners-javascript.ts'
import { type SimpleCommand, simpleCommands, type Word } from './shell-words.ts'

type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun'

interface Package {
  folder: string
  manager: PackageManager
  scripts: Readonly<Record<string, string>>
  dependencies: ReadonlySet<string>
  /** `package.json` as people name it. */
  manifest: string
}

const LOCKFILES: readonly (readonly [string, PackageManager])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
]

/** What `npm init` writes: it is no test. */
const PLACEHOLDER = /no test specified/
/** Scripts that start scripts of the same package. */
const FOLLOWED = /^(?:npm|pnpm|yarn|bun)$/
const NAMES = {
  tests: ['test', 'tests', 'test:unit', 'unit'],
  lint: ['lint', 'lint:ci', 'eslint'],
  types: ['typecheck', 'type-check', 'types', 'check-types', 'check:types', 'tsc'],
  build: ['build', 'compile'],
  coverage: ['coverage', 'test:coverage', 'test:cov', 'cover'],
} as const

function strings(value: { [key: string]: Json }): Record<string, string> {
  return Object.fromEntries(Object.entries(value).filter((it): it is [string, string] => typeof it[1] === 'string'))
}

async function readPackage(project: ProjectFiles, folder: string): Promise<Package> {
  const manifest = under(folder, 'package.json')
  const json = await project.object(manifest)
  const named = typeof json['packageManager'] === 'string' ? json['packageManager'].split('@')[0] : undefined
  const folders = folder === '.' ? ['.'] : [folder, '.']
  const locked = folders.flatMap((it) => LOCKFILES.filter(([file]) => project.has(under(it, file))))[0]?.[1]
  const known: readonly PackageManager[] = ['npm', 'pnpm', 'yarn', 'bun']
  return {
    folder,
    manifest,
    manager: known.find((it) => it === named) ?? locked ?? 'npm',
    scripts: strings(member(json, 'scripts')),
    dependencies: new Set(['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((it) => Object.keys(member(json, it)))),
  }
}

interface Started {
  name: string
  /** Words that are added to the script (`npm test -- --bail`). */
  extra: readonly Word[]
}

/** The script another one starts (`npm run unit`, `yarn unit`), or null. */
function startedScript(commands: readonly SimpleCommand[], scripts: Package['scripts']): Started | null {
  const [only] = commands
  if (!only || commands.length > 1 || Object.keys(only.env).length > 0) return null
  const words = only.words.filter((it) => it.text !== '-s' && it.text !== '--silent')
  const [manager = '', verb = ''] = words.map((it) => it.text)
  if (!FOLLOWED.test(manager) || (manager === 'bun' && verb === 'test')) return null
  const runs = verb === 'run' || verb === 'run-script'
  const name = (runs ? words[2]?.text : verb) ?? ''
  const rest = words.slice(runs ? 3 : 2)
  const separated = rest[0]?.text === '--'
  // npm keeps what comes before "--" for itself; the others hand everything on.
  if (manager === 'npm' && rest.length > 0 && !separated) return null
  return name in scripts ? { name, extra: separated ? rest.slice(1) : rest } : null
}

interface Script {
  name: string
  text: string
  /** Scripts on the way to the one that does the work, from the asked one. */
  path: readonly string[]
  commands: readonly SimpleCommand[] | null
}

function withExtra(commands: readonly SimpleCommand[] | null, extra: readonly Word[]): readonly SimpleCommand[] | null {
  const last = commands?.at(-1)
  if (!commands || !last || extra.length === 0) return commands
  return [...commands.slice(0, -1), { ...last, words: [...last.words, ...extra] }]
}

/** Follows scripts that only start others; npm's `pre` scripts on the way stay part of the work. */
function readScript({ name, extra }: Started, scripts: Package['scripts'], path: readonly string[] = []): Script {
  const text = scripts[name] ?? ''
  const commands = withExtra(simpleCommands(text), extra)
  const here = [...path, name]
  const next = commands && here.length < 6 ? startedScript(commands, scripts) : null
  if (next !== null && !here.includes(next.name)) return readScript(next, scripts, here)
  return { name, text, path: here, commands }
}

function runScript(manager: PackageManager, name: string): Argv {
  if (name === 'test' && manager !== 'bun') return [manager, 'test']
  return [manager, 'run', name]
}

const INSTALLS: Readonly<Record<PackageManager, string>> = {
  npm: 'npm ci',
  pnpm: 'pnpm install --frozen-lockfile',
  yarn: 'yarn install --immutable',
  bun: 'bun install --frozen-lockfile',
}

function hintFor(pack: Package, hint: string): string {
  return hint.replace('npm ci', INSTALLS[pack.manager])
}

/** With Plug'n'Play there is no node_modules/.bin: yarn itself finds the program. */
function byYarn(project: ProjectFiles, pack: Package, argv: Argv): Argv {
  const pnp = pack.manager === 'yarn' && ['.pnp.cjs', '.pnp.js'].some((it) => project.has(it) || project.has(under(pack.folder, it)))
  return pnp && argv[0] !== 'node' ? ['yarn', ...argv] : argv
}

function fromRunner(
  project: ProjectFiles,
  pack: Package,
  gate: string,
  found: Recognised,
  script: Script | null,
  reason: string,
): DetectedCommand {
  const parts = extended(found, found.runner.extend(found.own))
  const argv = byYarn(project, pack, parts.argv)
  // npm runs `pretest` before `test`; we run the program directly, so `pretest` is ours to run.
  const hooks = (script?.path ?? []).map((it) => `pre${it}`).filter((it) => it in pack.scripts)
  const prepare = [...hooks.map((it) => ({ argv: [pack.manager, 'run', it] as Argv })), ...parts.prepare]
  const needs = argv[0] === 'yarn' ? { program: 'yarn', hint: 'Install yarn.' } : { ...parts.needs, hint: hintFor(pack, parts.needs.hint) }
  const typed = script ? runScript(pack.manager, script.path[0] ?? script.name).join(' ') : parts.typed
  return command({ ...parts, gate, tool: found.runner.tool, argv, cwd: pack.folder, reason, prepare, needs, typed })
}

function coverageOf(project: ProjectFiles, pack: Package, found: Recognised, reason: string): DetectedCommand | null {
  const covered = found.runner.cover?.(found.own)
  if (!covered) return null
  const parts = extended(found, covered)
  const provider = ['@vitest/coverage-v8', '@vitest/coverage-istanbul'].find((it) => pack.dependencies.has(it)) ?? '@vitest/coverage-v8'
  const install = pack.dependencies.has(provider)
    ? 'Run npm ci, or add it to [project] setup in reeve.toml.'
    : `Run npm install --save-dev ${provider}, and npm ci in [project] setup of reeve.toml.`
  const needs = covered.tool === 'vitest-coverage' ? { program: `node_modules/${provider}/package.json`, hint: install } : covered.needs
  return command({
    ...parts,
    gate: 'coverage',
    tool: covered.tool,
    argv: byYarn(project, pack, parts.argv),
    cwd: pack.folder,
    reason: `${reason}, with coverage`,
    needs: { ...needs, hint: hintFor(pack, needs.hint) },
  })
}

/** A script that no runner recognises, run as it is and judged by its exit code and what it writes. */
function asScript(pack: Package, gate: string, name: string): DetectedCommand {
  const argv = runScript(pack.manager, name)
  return command({
    gate,
    tool: 'npm-script',
    argv,
    cwd: pack.folder,
    reason: `"scripts.${name}" in ${pack.manifest}`,
    typed: argv.join(' '),
    needs: { program: pack.manager, hint: `Install ${pack.manager}.` },
  })
}

function scriptFor(pack: Package, names: readonly string[]): string | undefined {
  return names.find((it) => it in pack.scripts && !PLACEHOLDER.test(pack.scripts[it] ?? ''))
}

function recogniseScript(script: Script, runners: readonly Runner[]): Recognised | null {
  return script.commands ? recognise(script.commands, runners) : null
}

/** Without a script: what the project depends on or has a configuration for. */
function byDependency(project: ProjectFiles, pack: Package, gate: keyof typeof NAMES): { line: string; reason: string } | null {
  const depends = (name: string) => (pack.dependencies.has(name) ? `${name} among the dependencies of ${pack.manifest}` : null)
  const has = (...names: readonly string[]) => names.map((it) => under(pack.folder, it)).find((it) => project.has(it)) ?? null
  const candidates: Readonly<Record<string, readonly (readonly [string, string | null])[]>> = {
    tests: [
      ['vitest run', depends('vitest')],
      ['jest', depends('jest')],
      ['mocha', depends('mocha')],
      ['ava', depends('ava')],
    ],
    lint: [
      ['biome ci', pack.dependencies.has('@biomejs/biome') ? has('biome.json', 'biome.jsonc') : null],
      ['oxlint', depends('oxlint')],
      [
        'eslint .',
        pack.dependencies.has('eslint')
          ? has(
              'eslint.config.js',
              'eslint.config.mjs',
              'eslint.config.cjs',
              'eslint.config.ts',
              '.eslintrc.json',
              '.eslintrc.js',
              '.eslintrc.cjs',
              '.eslintrc.yml',
              '.eslintrc',
            )
          : null,
      ],
    ],
    types: [
      ['vue-tsc -p tsconfig.json', pack.dependencies.has('vue-tsc') ? has('tsconfig.json') : null],
      ['tsc -p tsconfig.json', pack.dependencies.has('typescript') ? has('tsconfig.json') : null],
    ],
  }
  const found = candidates[gate]?.find(([, reason]) => reason !== null)
  return found ? { line: found[0], reason: found[1] ?? '' } : null
}

/** Test files of node:test: its own import says so. A few are enough to know. */
async function usesNodeTest(project: ProjectFiles, folder: string): Promise<boolean> {
  const below = (path: string) => folder === '.' || path.startsWith(`${folder}/`)
  const tests = project.all.filter((path) => below(path) && /\.[cm]?[jt]s$/.test(path) && isTestFile(path)).slice(0, 20)
  for (const path of tests) if (/['"]node:test['"]/.test(await project.text(path))) return true
  return false
}

function forGate(
  project: ProjectFiles,
  pack: Package,
  gate: 'tests' | 'lint' | 'types',
  runners: readonly Runner[],
): [DetectedCommand, Recognised | null] | null {
  const name = scriptFor(pack, NAMES[gate])
  if (name !== undefined) {
    const script = readScript({ name, extra: [] }, pack.scripts)
    const found = recogniseScript(script, runners)
    const reason = `"scripts.${script.name}" in ${pack.manifest} is "${script.text}"`
    return found ? [fromRunner(project, pack, gate, found, script, reason), found] : [asScript(pack, gate, name), null]
  }
  const other = byDependency(project, pack, gate)
  const found = other ? recognise(simpleCommands(other.line) ?? [], runners) : null
  return found && other ? [fromRunner(project, pack, gate, found, null, other.reason), found] : null
}

async function detectPackage(project: ProjectFiles, folder: string): Promise<DetectedCommand[]> {
  const pack = await readPackage(project, folder)
  const commands: DetectedCommand[] = []
  const build = scriptFor(pack, NAMES.build)
  if (build !== undefined) commands.push(asScript(pack, 'build', build))
  const types = forGate(project, pack, 'types', JAVASCRIPT_TYPE_CHECKERS)
  const lint = forGate(project, pack, 'lint', JAVASCRIPT_LINTERS)
  let tests = forGate(project, pack, 'tests', JAVASCRIPT_TEST_RUNNERS)
  if (!tests && (await usesNodeTest(project, folder))) {
    const found = recognise(simpleCommands('node --test') ?? [], JAVASCRIPT_TEST_RUNNERS)
    if (found) tests = [fromRunner(project, pack, 'tests', found, null, 'test files that import node:test'), found]
  }
  for (const it of [types, lint, tests]) if (it) commands.push(it[0])
  const covered = tests?.[1] ? coverageOf(project, pack, tests[1], tests[0].reason) : null
  const coverage = scriptFor(pack, NAMES.coverage)
  if (covered) commands.push(covered)
  else if (coverage !== undefined) commands.push(asScript(pack, 'coverage', coverage))
  return commands
}

/** JavaScript and TypeScript: the scripts and dependencies of each package.json. */
export async function detectJavascript(project: ProjectFiles): Promise<DetectedCommand[]> {
  const folders = project.foldersWith(['package.json'])
  const found = await Promise.all(folders.map((folder) => detectPackage(project, folder)))
  return found.flat()
}

/** A line given by a person (`npm test`, `npx vitest run`): the runner behind it, when it can be asked for a report. */
export async function javascriptLine(project: ProjectFiles, folder: string, line: string): Promise<Recognised | null> {
  const commands = simpleCommands(line)
  if (!commands) return null
  const pack = await readPackage(project, folder)
  const started = startedScript(commands, pack.scripts)
  if (started === null)
    return recognise(
      commands.map((it) => ({ ...it, words: withoutStarter(it.words) })),
      JAVASCRIPT_TEST_RUNNERS,
    )
  const script = readScript(started, pack.scripts)
  return script.path.some((it) => `pre${it}` in pack.scripts) ? null : recogniseScript(script, JAVASCRIPT_TEST_RUNNERS)
}
