import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openProject } from '../../src/workspace/project.ts'
import { createWorkspace } from '../../src/workspace/workspace.ts'
import { unkept } from '../support/keeping.ts'
import { generateRepository } from './files.ts'
import { type Figure, figure, inTurns, millisecondsOf } from './measure.ts'

const FILES = 10_000

/** A workspace, ready to work in, against what git alone needs for a worktree of the same repository. */
export async function workspace(folder: string): Promise<Figure> {
  const root = join(folder, 'large')
  mkdirSync(root, { recursive: true })
  generateRepository(root, FILES)
  const project = await openProject(root)
  let number = 0
  const measured = await inTurns(
    5,
    async () => {
      number += 1
      const runId = `r${String(number).padStart(13, '0')}`
      return millisecondsOf(() =>
        createWorkspace({
          project,
          runId,
          taskId: `task-${number}`,
          role: 'implementer',
          base: project.head,
          dataDir: join(folder, 'data'),
          setup: [],
          keeping: unkept,
          signal: AbortSignal.timeout(120_000),
          timeoutMs: 120_000,
        }),
      )
    },
    async () => {
      const tree = join(folder, `bare-${++number}`)
      return millisecondsOf(() => execFileSync('git', ['worktree', 'add', '-q', '-b', `bare-${number}`, tree], { cwd: root }))
    },
  )
  return figure(`a workspace on ${FILES} files`, measured, '`git worktree add`')
}
