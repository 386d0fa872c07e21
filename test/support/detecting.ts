import { settingsSchema } from '../../src/core/settings.ts'
import { taskSchema } from '../../src/core/task.ts'
import { detectCommands } from '../../src/scanner/commands/detect.ts'
import type { DetectedCommand } from '../../src/scanner/port.ts'
import { filesOf, makeCheckout } from './checkout.ts'

export interface Asked {
  gates?: unknown
  acceptance?: unknown
  targetDir?: string
}

/** The commands of a checkout of these files. */
export async function detect(files: Readonly<Record<string, string>>, ask: Asked = {}): Promise<DetectedCommand[]> {
  const checkout = makeCheckout(files, ask.targetDir)
  const { gates } = settingsSchema.parse({ gates: ask.gates ?? {} })
  const { acceptance } = taskSchema.parse({ id: 'a', title: 'a', description: 'a', acceptance: ask.acceptance ?? {} })
  return await detectCommands(checkout, filesOf(checkout), { gates, acceptance })
}

/** The command of one gate. */
export function of(commands: readonly DetectedCommand[], gate: string): DetectedCommand | undefined {
  return commands.find((it) => it.gate === gate)
}

/** `gate: argv` of each command, in order. */
export function argvs(commands: readonly DetectedCommand[]): string[] {
  return commands.map((it) => `${it.gate}: ${it.argv.join(' ')}`)
}

/** A package.json. */
export function pack(scripts: Readonly<Record<string, string>>, devDependencies: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({ scripts, devDependencies })
}
