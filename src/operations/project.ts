import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { settingsSchema } from '../core/settings.ts'
import type { Project } from '../workspace/port.ts'
import { plainCheckout } from './checkouts.ts'
import { type Context, projectOf, settingsOf } from './context.ts'
import { type FoundAgent, initFile } from './init-file.ts'
import { operation } from './operation.ts'
import { projectInput } from './shapes.ts'
import { addTrust } from './trust.ts'

export const projectInit = operation({
  name: 'project.init',
  route: 'POST /api/v1/projects/init',
  place: 'caller',
  summary: 'Writes a commented reeve.toml from what the repository shows. Adds nothing else, overwrites nothing.',
  permission: 'projects:write',
  who: 'user',
  effect: 'write',
  input: z.object({ project: projectInput }),
  output: z.object({ path: z.string(), gates: z.array(z.string()), providers: z.array(z.string()), text: z.string() }),
  async handler(context, input, signal) {
    const project = await projectOf(context, input.project)
    const { scanRepository } = await import('../scanner/scan.ts')
    const scan = await scanRepository(await plainCheckout(context, project.root))
    const path = join(project.root, 'reeve.toml')
    const agents = await agentsHere(context, project, signal)
    const text = initFile(scan, project.branch, agents)
    try {
      await writeFile(path, text, { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new ReeveError('invalid_input', { problem: `There is a reeve.toml already: ${path}. Change it by hand, or remove it first.` })
    }
    // Whoever has it written has agreed to what it says; not to what other files of the project add.
    const readProjectFile = async (file: string) => (file === 'reeve.toml' ? text : null)
    const { consents } = await settingsOf(context, project.root, { readProjectFile })
    await addTrust(context, project.root, consents)
    return { path, gates: [...new Set(scan.commands.map((it) => it.gate))], providers: agents.map((it) => it.kind), text }
  },
})

/** Whose programs are looked for: those that choose a model by themselves. */
const AGENTS = ['claude', 'codex', 'gemini'] as const

/** CLI agents that are installed and let in, by a key or a log-in. Asks programs for their versions, nobody else. */
async function agentsHere(context: Context, project: Project, signal: AbortSignal): Promise<FoundAgent[]> {
  const found = await Promise.all(
    AGENTS.map(async (kind): Promise<FoundAgent[]> => {
      for (const login of [true, false]) {
        const settings = settingsSchema.parse({ providers: { [kind]: { kind, login } } })
        const { ok, access, version } = await context.kit.inspect(kind, settings, project, { ask: false, signal })
        if (ok && version !== null && (access === 'key' || access === 'login')) return [{ kind, version, access }]
      }
      return []
    }),
  )
  return found.flat()
}
