import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { settingsSchema } from '../../src/core/settings.ts'
import { measure } from '../../src/gates/measure.ts'
import type { Measurement, MeasureOptions } from '../../src/gates/port.ts'
import { programEnv } from '../../src/process/env.ts'
import { detectCommands } from '../../src/scanner/commands/detect.ts'
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

/** Detects the commands of a checkout and runs the one of this gate. */
export async function measureGate(checkout: Checkout, gate: string, options: Partial<MeasureOptions> = {}): Promise<Measurement> {
  const { gates } = settingsSchema.parse({})
  const commands = await detectCommands(checkout, filesOf(checkout), { gates, acceptance: {} })
  const command = commands.find((it) => it.gate === gate)
  if (!command) throw new Error(`no ${gate} among: ${commands.map((it) => `${it.gate} (${it.command})`).join(', ')}`)
  return await measure(command, checkout, { timeoutMs: 120_000, signal: new AbortController().signal, ...options })
}

/** Name, status and class of each test, in the order of names. */
export function outline(measured: Measurement): string[] {
  return (measured.cases ?? []).map((it) => [it.name, it.status, it.failure].filter((part) => part !== null).join(' | ')).toSorted()
}
