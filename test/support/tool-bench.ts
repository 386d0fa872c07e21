import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { guardFiles } from '../../src/agents/tools/file-guard.ts'
import { filesIn } from '../../src/agents/tools/files.ts'
import type { ToolContext, ToolOutcome } from '../../src/agents/tools/tool.ts'
import { TOOLS } from '../../src/agents/tools/toolbox.ts'
import type { Json } from '../../src/core/json.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { folderWorkspace, makeRole } from './agent.ts'

export interface Bench {
  root: string
  use: (tool: string, input: unknown) => Promise<ToolOutcome>
  read: (path: string) => string
}

/** All tools on a folder of these files, as a role with write permission on production files has them. */
export function bench(
  files: Readonly<Record<string, string>>,
  { rules, ...over }: Partial<ToolContext> & { rules?: { [key: string]: Json } } = {},
): Bench {
  const checkout = folderWorkspace(files)
  const permissions = over.permissions ?? makeRole().permissions
  const context: ToolContext = {
    role: 'implementer',
    permissions,
    checkout,
    files: filesIn(checkout.path),
    guard: guardFiles(settingsSchema.parse({ files: rules ?? {} }).files, permissions),
    isTestFile: (it) => it.includes('.test.'),
    protectedPaths: [],
    commandTimeoutMs: 10_000,
    signal: new AbortController().signal,
    runProgram,
    syntaxErrors: async () => null,
    repoMap: async (_checkout, { focus, tokens }) => `map of ${focus.join(' ')} in ${tokens}`,
    ...over,
  }
  return {
    root: checkout.path,
    read: (path) => readFileSync(join(checkout.path, path), 'utf8'),
    use: async (name, input) => {
      const tool = TOOLS.find((it) => it.name === name)
      if (!tool) throw new Error(`no tool ${name}`)
      return tool.run(tool.input.parse(input), context)
    },
  }
}
