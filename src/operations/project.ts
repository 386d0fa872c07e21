import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { plainCheckout } from './checkouts.ts'
import { projectOf } from './context.ts'
import { initFile } from './init-file.ts'
import { operation } from './operation.ts'
import { projectInput } from './shapes.ts'

export const projectInit = operation({
  name: 'project.init',
  summary: 'Writes a commented reeve.toml from what the repository shows. Adds nothing else, overwrites nothing.',
  permission: 'projects:write',
  effect: 'write',
  input: z.object({ project: projectInput }),
  output: z.object({ path: z.string(), gates: z.array(z.string()), text: z.string() }),
  async handler(context, input) {
    const project = await projectOf(context, input.project)
    const { scanRepository } = await import('../scanner/scan.ts')
    const scan = await scanRepository(await plainCheckout(context, project.root))
    const path = join(project.root, 'reeve.toml')
    const text = initFile(scan, project.branch)
    try {
      await writeFile(path, text, { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new ReeveError('invalid_input', { problem: `There is a reeve.toml already: ${path}. Change it by hand, or remove it first.` })
    }
    return { path, gates: [...new Set(scan.commands.map((it) => it.gate))], text }
  },
})
