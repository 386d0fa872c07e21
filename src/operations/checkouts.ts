import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { programEnv } from '../process/env.ts'
import type { Checkout } from '../workspace/port.ts'
import { openProject } from '../workspace/project.ts'
import { type Context, pathOf, projectOf } from './context.ts'

/**
 * A folder of the user's as it lies there, for looking at and for running its own commands. A program may look at repositories only. Throws
 * `file_not_found`, `forbidden`.
 */
export async function plainCheckout(context: Context, path: string | undefined): Promise<Checkout> {
  const folder = pathOf(context, path)
  if (context.caller.kind !== 'user') await projectOf(context, path)
  const found = await stat(folder).catch(() => null)
  if (!found?.isDirectory()) throw new ReeveError('file_not_found', { path: folder })
  return { path: folder, targetDir: '.', env: programEnv({ home: join(context.folders.cache, 'home'), from: context.env }) }
}

/** Top level of the repository around a folder, one without commits too; null where there is none: a plain folder can be looked at as well. */
export async function rootAround(folder: string): Promise<string | null> {
  try {
    return (await openProject(folder)).root
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error
    if (error.code === 'no_commits') return String(error.details['path'])
    if (error.code === 'not_a_repository') return null
    throw error
  }
}
