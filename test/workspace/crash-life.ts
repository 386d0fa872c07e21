/** A piece of a workspace's life as a process of its own, to be killed: node crash-life.ts '{"root":…,"dataDir":…,"act":…}' */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson } from '../../src/core/json.ts'
import { openProject } from '../../src/workspace/project.ts'
import { reap } from '../../src/workspace/reap.ts'
import { createWorkspace } from '../../src/workspace/workspace.ts'
import { unkept } from '../support/keeping.ts'

const { root, dataDir, act, killAfterMs } = parseJson(process.argv[2] ?? '', 'argument') as {
  root: string
  dataDir: string
  act: string
  killAfterMs: number | null
}
if (killAfterMs !== null) setTimeout(() => process.kill(process.pid, 'SIGKILL'), killAfterMs)
const project = await openProject(root)
const workspace = await createWorkspace({
  project,
  runId: 'rcrash',
  taskId: 'fix-it',
  role: 'backend',
  base: project.head,
  dataDir,
  keeping: unkept,
  setup: ['mkdir -p node_modules && echo installed > node_modules/x'],
  signal: new AbortController().signal,
  timeoutMs: 60_000,
})
if (act !== 'create') {
  writeFileSync(join(workspace.path, 'new.txt'), 'new\n')
  const { commit } = await workspace.checkpoint('feat: new')
  writeFileSync(join(workspace.path, 'wrong.txt'), 'wrong\n')
  await workspace.restore(commit)
  await workspace.publish({ branch: true })
  await reap({ project, runId: 'rcrash', dataDir })
}
process.stdout.write('lived\n', () => process.exit())
