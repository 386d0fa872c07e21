import { randomUUID } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { ReeveError } from '../../core/errors.ts'
import { atLeast } from '../../core/isolation.ts'
import type { MeterTold } from '../../models/meter/port.ts'
import type { AgentWay, HeldAgent } from '../../workspace/port.ts'
import type { AgentRequest } from '../port.ts'
import { accessOf, directEndpoint, hostsOf, passedSecrets } from './access.ts'
import type { CliDeps } from './deps.ts'
import { copyLogin, installationOf, removeFromHome, writeInHome } from './home.ts'
import { IDLE_SECONDS, type Metering, startMetering } from './metering.ts'
import type { CliAdapter, CliCommand, CliRequest, Endpoint } from './port.ts'

const CONTEXT_TOKENS = 128_000

/** One start of the program. */
export interface Start {
  argv: readonly [string, ...string[]]
  command: CliCommand
  held: HeldAgent
  env: Readonly<Record<string, string>>
}

/** Everything a program finds when it starts: its home, its way to its models, what it may see. */
export interface Stage {
  metered: boolean
  session: string
  /** `resume`: the session of before goes on. */
  start(turn: { prompt: string; session: string; resume: boolean }): Promise<Start>
  close(): Promise<{ loginRenewed: boolean }>
}

/** Sets everything up for one step. Throws what makes it impossible; `close` must be called. */
export async function setStage(deps: CliDeps, request: AgentRequest, told: MeterTold): Promise<Stage> {
  const { adapter, settings, program } = deps
  const { role, workspace } = request
  const access = accessOf(deps)
  const passed = passedSecrets(deps)
  const readOnly = role.permissions.write === 'none'
  const shared = { hosts: [], secrets: {}, readOnly, ...(adapter.unasked === undefined ? {} : { hidden: adapter.unasked }) }
  const hold = (way: Partial<AgentWay>): HeldAgent => {
    if (!workspace.holdAgent) throw new Error('This workspace holds no programs that are agents themselves.')
    // Of its own for each role: what one that writes leaves there must not speak to the one that judges it.
    return workspace.holdAgent({ name: `${safeName(deps.name)}-${safeName(role.name)}`, ...shared, ...way })
  }
  const bare = hold({})
  const confined = atLeast(bare.confinement.level, 'os-sandbox')
  // A container's mounts cannot take a part of a folder away.
  if (bare.confinement.level !== 'os-sandbox') await refuseUnasked(adapter, workspace.path)
  const installed = await installationOf(program.path, deps.realHome)
  const login = access.kind === 'login' ? await copyLogin(deps.realHome, bare.home, adapter.login?.paths ?? []) : null
  // The last that may fail: nobody closes it before the stage is set.
  const meter: Metering | null = access.kind === 'endpoint' ? await startMetering(deps, access, request, told, confined) : null
  const endpoint: Endpoint | null = meter?.endpoint ?? (access.kind === 'endpoint' ? directEndpoint(access) : null)
  // A sandbox shows real paths only; outside it is started by the name it was found by, which some look at.
  const binary = confined ? installed.real : program.path
  const idle = settings.idle_timeout_seconds ?? IDLE_SECONDS
  /** Files of the adapter's, with the key in some of them. */
  const written = new Set<string>()
  // Steps of one run may be at work at the same time.
  const promptFile = `prompt-${safeName(request.origin.step)}.md`

  return {
    metered: meter !== null,
    session: request.session ?? (adapter.session === 'ours' ? randomUUID() : ''),
    async start({ prompt, session, resume }) {
      const wanted: CliRequest = {
        prompt,
        promptFile: join(bare.home, promptFile),
        model: settings.model ?? null,
        endpoint,
        session,
        resume,
        write: role.permissions.write !== 'none',
        commands: role.permissions.run_commands,
        confined,
        cwd: workspace.path,
        home: bare.home,
        limits: { turns: turnsOf(request), usd: request.limits.usd },
        // Requests may be held up before they go, which is no silence of the model's.
        idleSeconds: Math.ceil(idle + settings.give_up_seconds),
        maxTokens: settings.max_tokens,
        contextTokens: settings.context_tokens ?? CONTEXT_TOKENS,
        args: settings.args,
      }
      const command = adapter.command(wanted)
      for (const { path } of command.files) written.add(path)
      await writeInHome(bare.home, [{ path: promptFile, text: prompt }, ...command.files])
      const held = hold({
        hosts: hostsOf(deps, access, meter !== null),
        ...(meter === null ? {} : { services: meter.services }),
        secrets: { ...passed, ...command.secrets },
        readable: [installed.shown],
      })
      return { argv: [binary, ...command.args], command, held, env: environment(held, command, deps, meter !== null || !confined) }
    },
    async close() {
      await meter?.close()
      const loginRenewed = (await login?.renewed()) ?? false
      await removeFromHome(bare.home, [...(login?.files ?? []), ...written])
      return { loginRenewed }
    },
  }
}

/** Names of providers and steps may be any words. */
function safeName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]/, 'x')
}

/** What would start unasked is hidden by a sandbox; without one it must not be there. */
async function refuseUnasked({ binary, unasked = [] }: CliAdapter, root: string): Promise<void> {
  for (const path of unasked) {
    const there = await lstat(join(root, path)).catch(() => null)
    if (there === null) continue
    const problem = `${binary} starts programs that it finds in ${path} of a project, and no sandbox is there that hides them from it.`
    throw new ReeveError('invalid_input', { problem })
  }
}

export function turnsOf({ limits, role }: Pick<AgentRequest, 'limits' | 'role'>): number {
  return Math.min(limits.steps, role.max_steps)
}

function environment(held: HeldAgent, command: CliCommand, deps: CliDeps, near: boolean): Record<string, string> {
  const env: Record<string, string> = { ...held.env, TERM: 'dumb', NO_COLOR: '1', DO_NOT_TRACK: '1', ...command.env, ...deps.settings.env }
  // A proxy of the user's network must not be asked for what is on this machine.
  if (near)
    env['NO_PROXY'] = env['no_proxy'] = [env['NO_PROXY'] ?? env['no_proxy'], 'localhost', '127.0.0.1', '::1'].filter(Boolean).join(',')
  return env
}
