import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { programEnv } from '../../src/process/env.ts'
import type { Checkout } from '../../src/workspace/port.ts'
import { temporaryFolder, writeFiles } from './folder.ts'

/** A checkout of these files in a temporary folder, with the environment that programs get in a run. */
export function makeCheckout(files: Readonly<Record<string, string>>, targetDir = '.'): Checkout {
  const path = join(temporaryFolder(), 'project')
  mkdirSync(path)
  writeFiles(path, files)
  return { path, targetDir, env: programEnv({ home: join(temporaryFolder(), 'home') }) }
}

/** Gives a checkout this repository's own packages, as `npm ci` would have done. */
export function installPackages(checkout: Checkout): void {
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(checkout.path, 'node_modules'))
}

/** The files of a checkout, as the scanner lists them. */
export function filesOf(checkout: Checkout): string[] {
  return readdirSync(checkout.path, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => relative(checkout.path, join(it.parentPath, it.name)))
    .filter((it) => !it.startsWith('node_modules/') && !it.includes('build-reeve'))
    .toSorted()
}
