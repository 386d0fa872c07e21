import type { FileSettings } from '../../core/settings.ts'
import type { Workspace } from '../../workspace/port.ts'
import type { AgentRequest } from '../port.ts'
import { guardFiles } from './file-guard.ts'
import { filesIn } from './files.ts'
import type { Files, RepoMap, RunProgram, SyntaxCheck, ToolContext } from './tool.ts'

export interface ToolDeps {
  runProgram: RunProgram
  syntaxErrors: SyntaxCheck
  repoMap: RepoMap
  fileRules: FileSettings
  /** Default: the path rules of `workspace/`. */
  files?: (root: string) => Files
}

/** What the tools of one step work with: the same rules for whoever uses them. */
export function contextFor(request: AgentRequest, deps: ToolDeps, signal: AbortSignal): ToolContext {
  const { role, workspace, limits } = request
  return {
    role: role.name,
    permissions: role.permissions,
    checkout: forCommands(workspace),
    files: (deps.files ?? filesIn)(workspace.path),
    guard: guardFiles(deps.fileRules, role.permissions),
    isTestFile: (path) => request.isTestFile(path),
    protectedPaths: request.protectedPaths,
    commandTimeoutMs: limits.commandTimeoutMs,
    signal,
    runProgram: deps.runProgram,
    syntaxErrors: deps.syntaxErrors,
    repoMap: deps.repoMap,
  }
}

/** The workspace as the agent's own commands see it: with a home and a confinement of their own. */
function forCommands(workspace: Workspace): Workspace {
  const confinement = workspace.agentConfinement ?? workspace.confinement
  return { ...workspace, env: workspace.agentEnv ?? workspace.env, ...(confinement === undefined ? {} : { confinement }) }
}
