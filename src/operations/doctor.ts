import { access, constants, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Loaded } from '../config/load.ts'
import { providersOf } from '../config/secrets.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { Settings } from '../core/settings.ts'
import { programEnv } from '../process/env.ts'
import { runProgram } from '../process/run-program.ts'
import { which } from '../process/which.ts'
import type { RepoScan } from '../scanner/port.ts'
import type { Project } from '../workspace/port.ts'
import { plainCheckout } from './checkouts.ts'
import { type Context, projectOf, settingsOf } from './context.ts'
import { attempt, type Check, check, checkSchema } from './doctor-check.ts'
import { isolationChecks, isolationSchema } from './doctor-isolation.ts'
import { setupCommands } from './init-file.ts'
import { operation } from './operation.ts'
import { projectInput } from './shapes.ts'
import { consentSentence, untrusted } from './trust.ts'

export const doctorCheck = operation({
  name: 'doctor.check',
  route: 'GET /api/v1/doctor',
  place: 'caller',
  summary: 'Checks this machine and this project: what is there, what is missing, how to get it.',
  permission: 'system:read',
  effect: 'read',
  input: z.object({ project: projectInput }),
  output: z.object({ ok: z.boolean(), checks: z.array(checkSchema), isolation: isolationSchema.nullable() }),
  async handler(context, input, signal) {
    const machine = await Promise.all([nodeCheck(), gitCheck(context), ...folderChecks(context)])
    const project = await projectChecks(context, input.project, signal)
    const isolation = await isolationChecks(context, input.project)
    const checks = [...machine, ...isolation.checks, ...project]
    return { ok: checks.every((it) => it.status !== 'missing'), checks, isolation: isolation.report }
  },
})

const NODE = 24
// Needed for `merge-tree --write-tree` and its options.
const GIT = [2, 38] as const

async function nodeCheck(): Promise<Check> {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= NODE) return check('machine', 'node', 'ok', process.version)
  return check('machine', 'node', 'missing', process.version, `Install Node ${NODE} or newer.`)
}

async function gitCheck(context: Context): Promise<Check> {
  const hint = `Install git ${GIT.join('.')} or newer.`
  const env = programEnv({ home: join(context.folders.cache, 'home'), from: context.env })
  // A program that only prints its version takes milliseconds.
  const result = await runProgram({ argv: ['git', '--version'], cwd: context.cwd ?? context.folders.state, env, timeoutMs: 10_000 })
  if (result.ended === 'not_found') return check('machine', 'git', 'missing', 'not on PATH', hint)
  const [, major = '0', minor = '0', rest = ''] = /(\d+)\.(\d+)(\S*)/.exec(result.stdout) ?? []
  const enough = Number(major) > GIT[0] || (Number(major) === GIT[0] && Number(minor) >= GIT[1])
  return check('machine', 'git', enough ? 'ok' : 'missing', `${major}.${minor}${rest}`, enough ? null : hint)
}

function folderChecks(context: Context): Promise<Check>[] {
  const { state, data, cache } = context.folders
  return Object.entries({ state, data, cache }).map(async ([name, path]) => {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 })
      await access(path, constants.W_OK)
      return check('machine', `${name} folder`, 'ok', path)
    } catch (error) {
      return check(
        'machine',
        `${name} folder`,
        'missing',
        `${path} cannot be written: ${problemOf(error)}`,
        'Make it writable, or move all of them with REEVE_HOME.',
      )
    }
  })
}

async function projectChecks(context: Context, path: string | undefined, signal: AbortSignal): Promise<Check[]> {
  const found = await attempt(() => projectOf(context, path))
  if (found instanceof ReeveError)
    return [check('project', 'repository', path === undefined ? 'warning' : 'missing', found.message, found.hint ?? null)]
  const repository = check(
    'project',
    'repository',
    'ok',
    `${found.root}${found.branch === null ? ' (detached)' : `, branch ${found.branch}`}`,
  )
  const loaded = await attempt(() => settingsOf(context, found.root))
  if (loaded instanceof ReeveError)
    return [repository, check('project', 'configuration', 'missing', loaded.message, 'Check again with: reeve config validate')]
  const warnings = loaded.warnings.map((it) => check('project', 'configuration', 'warning', it))
  const roles = await attempt(() => context.kit.roles(found, found.head))
  return [
    repository,
    ...(warnings.length > 0 ? warnings : [check('project', 'configuration', 'ok', 'valid')]),
    roles instanceof ReeveError
      ? check('project', 'roles', 'missing', roles.message)
      : check('project', 'roles', 'ok', `${roles.size} roles`),
    ...(await providerChecks(context, loaded, found, signal)),
    ...(await gateChecks(context, loaded.settings, found)),
  ]
}

// A server that does not say anything for so long would not answer a run either.
const HEALTH_MS = 5000

/** One usable provider is enough; others that are not are worth a line. */
async function providerChecks(context: Context, loaded: Loaded, project: Project, signal: AbortSignal): Promise<Check[]> {
  const configured = providersOf(loaded.settings)
  // Asking it would send what the user has not agreed to.
  const open = await untrusted(context, project.root, loaded.consents)
  if (configured.length === 0) {
    const { hint } = new ReeveError('no_provider')
    return [check('provider', 'providers', 'warning', 'none is configured: runs need one; scan, gate and demo do not', hint ?? null)]
  }
  const checks = await Promise.all(
    configured.map(async ([name, it]) => {
      const asked = open.find((consent) => consent.provider === name)
      if (asked !== undefined)
        return check('provider', name, 'missing', `not asked: ${consentSentence(asked)}`, 'If it should: reeve trust')
      const asking = AbortSignal.any([signal, AbortSignal.timeout(HEALTH_MS)])
      const found = await context.kit.inspect(name, loaded.settings, project, { ask: true, signal: asking })
      const at = it.base_url === undefined ? '' : ` at ${it.base_url}`
      const what = [it.kind, ...(found.model === null ? [] : [found.model])].join(', ')
      return check('provider', name, found.ok ? 'ok' : 'missing', `${what}${at}: ${context.secrets.redact(found.detail)}`, found.hint)
    }),
  )
  const usable = checks.some((it) => it.status === 'ok')
  return checks.map((it) => (it.status === 'missing' && usable ? { ...it, status: 'warning' } : it))
}

async function gateChecks(context: Context, settings: Settings, project: Project): Promise<Check[]> {
  const { scanRepository } = await import('../scanner/scan.ts')
  const checkout = await plainCheckout(context, project.root)
  const scan = await scanRepository(checkout, { settings })
  const { commands } = scan
  const setup = await setupChecks(project.root, settings, scan)
  if (commands.length === 0) {
    const { message, hint } = new ReeveError('no_gates', { path: project.root })
    return [...setup, check('gate', 'gates', 'missing', message, hint ?? null)]
  }
  const gates = await Promise.all(
    commands.map(async ({ gate, command, cwd, needs }) => {
      const place = cwd === '.' ? command : `${command} (in ${cwd})`
      if (needs === null) return check('gate', gate, 'ok', place)
      const there = await hasTool(needs.program, project.root, cwd, checkout.env['PATH'] ?? '')
      return there
        ? check('gate', gate, 'ok', place)
        : check('gate', gate, 'warning', `${place}: ${needs.program} is missing, so this gate is not run`, needs.hint)
    }),
  )
  return [...setup, ...gates]
}

// Where what a project needs is installed.
const INSTALLED = ['node_modules', '.venv', 'venv', 'vendor/bundle', 'deps']

/** What is installed in the checkout is in no fresh copy of it, unless a setup installs it there too. */
async function setupChecks(root: string, settings: Settings, scan: RepoScan): Promise<Check[]> {
  if (settings.project.setup.length > 0) return []
  const commands = setupCommands(scan).map((it) => it.command)
  for (const folder of INSTALLED) {
    // `deps` and `vendor` are names that mean this only beside a lockfile.
    if (!(await exists(join(root, folder))) || (commands.length === 0 && !folder.startsWith('node') && !folder.includes('venv'))) continue
    const detail = `${folder} is here, but [project] setup is empty: a run works in a fresh copy without it`
    return [
      check(
        'project',
        'setup',
        'warning',
        detail,
        `In reeve.toml: [project] setup = ${JSON.stringify(commands.length > 0 ? commands : ['...'])}`,
      ),
    ]
  }
  return []
}

// Where projects keep tools of their own.
const OWN = ['node_modules/.bin', '.venv/bin', 'venv/bin']

/** Is a tool there: in the project, from the folder up to its root, or on the path? */
async function hasTool(program: string, root: string, cwd: string, path: string): Promise<boolean> {
  const folders = cwd === '.' ? [root] : [...cwd.split('/').map((_, at, all) => join(root, ...all.slice(0, all.length - at))), root]
  const names = program.includes('/') ? [program] : OWN.map((it) => `${it}/${program}`)
  for (const file of folders.flatMap((folder) => names.map((name) => join(folder, name)))) {
    if (await exists(file)) return true
  }
  return (await which(program, path)) !== null
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
