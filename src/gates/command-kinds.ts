import type { DetectedCommand } from '../scanner/port.ts'

/** Commands whose meaning nobody knows: they may read what the build gate made. All others build or load what they need themselves. */
const UNKNOWN = new Set(['npm-script', 'configured', 'make', 'just', 'node-test', 'ava', 'mocha'])
/** Test tools that compile: after a failed build they can only repeat it, or judge what an earlier build left behind. */
const COMPILING = new Set(['ctest', 'go-test', 'cargo-test', 'maven', 'gradle', 'mix', 'gcovr', 'npm-script', 'configured', 'make', 'just'])

/** Whether the build gate must have run in the same checkout before this can judge. */
export function needsBuild(command: DetectedCommand): boolean {
  return judgesBehaviour(command) && UNKNOWN.has(command.tool)
}

/** Whether this says nothing of its own when the build is broken. */
export function fallsWithBuild(command: DetectedCommand): boolean {
  return judgesBehaviour(command) && COMPILING.has(command.tool)
}

/** Gates that run the project's code; the others only read it. */
export function judgesBehaviour(command: Pick<DetectedCommand, 'gate'>): boolean {
  return !['build', 'types', 'lint', 'acceptance-lint', 'acceptance-typecheck'].includes(command.gate)
}

/** Commands given by the task: they must succeed, whatever they did on the base. */
export function isAcceptance(gate: string): boolean {
  return gate.startsWith('acceptance')
}

/** The commands that tell whether tests pass: the project's, or where it has none, those of the task. */
export function testCommands(commands: readonly DetectedCommand[]): DetectedCommand[] {
  const own = commands.filter((it) => it.gate === 'tests')
  return own.length > 0 ? own : commands.filter((it) => /^acceptance-\d+$/.test(it.gate))
}
