import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { settingsSchema } from '../../src/core/settings.ts'
import type { TaskKind } from '../../src/core/task.ts'
import type { Verdict } from '../../src/core/verdict.ts'
import { judge } from '../../src/gates/create.ts'
import { resolveTree } from '../../src/workspace/git.ts'
import { openProject } from '../../src/workspace/project.ts'
import { createWorkspace } from '../../src/workspace/workspace.ts'
import { temporaryFolder, writeFiles } from './folder.ts'
import { unkept } from './keeping.ts'

export interface Trial {
  /** A user's repository. */
  root: string
  /** Written over its files; null deletes. */
  change: Readonly<Record<string, string | null>>
  kind?: TaskKind
  depth?: 'quick' | 'full'
  settings?: Record<string, unknown>
  acceptance?: { tests?: string[] }
}

/** Makes the change in a real workspace of the repository and lets the real judge look at it, with the project's own programs. */
export async function judgeChange({
  root,
  change,
  kind = 'feature',
  depth = 'full',
  settings = {},
  acceptance = {},
}: Trial): Promise<Verdict> {
  const project = await openProject(root)
  const signal = new AbortController().signal
  const dataDir = temporaryFolder()
  const plan = { project, runId: 'r000000001abcd', taskId: 'task', role: 'implementer', base: project.head, setup: [] }
  const workspace = await createWorkspace({ ...plan, dataDir, keeping: unkept, signal, timeoutMs: 30_000 })
  for (const [path, text] of Object.entries(change)) {
    if (text === null) rmSync(join(workspace.path, path))
    else writeFiles(workspace.path, { [path]: text })
  }
  return await judge({
    checkout: workspace,
    comparison: {
      base: workspace.base,
      baseTree: await resolveTree(project, workspace.base),
      changes: await workspace.changes(),
      fileAtBase: (path) => workspace.fileAt(path),
      filesAtBase: () => workspace.filesAt(),
      baseCheckout: () => workspace.scratch(),
    },
    settings: settingsSchema.parse(settings),
    task: { kind, acceptance },
    tree: await workspace.treeHash(),
    depth,
    protectedFiles: [],
    protectedContent: () => Promise.resolve(null),
    cacheDir: join(dataDir, 'cache'),
    timeoutMs: 120_000,
    signal,
    emit: () => undefined,
  })
}
