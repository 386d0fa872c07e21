import type { Entry } from '../entry.ts'

const TEST = 'src/agents/cli/agent.test.ts'

/** What agents that are programs of their own do, whose tools do not ask us. */
export const PROGRAMS: readonly Entry[] = [
  {
    case: '1x',
    title: 'a role that only reads writes by the tools of its program',
    level: 'always',
    test: { file: TEST, name: 'are not written by a role that only reads' },
    file: 'src/agents/cli/tree-guard.ts',
    from: "if (permissions.write === 'none') {",
    to: "if (permissions.write === 'none' && paths.length === 0) {",
  },
  {
    case: '1y',
    title: 'a program writes files that its role may not',
    level: 'always',
    test: { file: TEST, name: 'of reeve and protected ones are put back whatever the role' },
    file: 'src/agents/cli/tree-guard.ts',
    from: '      await workspace.putBack(commit, refused)\n',
    to: '',
  },
  {
    case: '9x',
    title: 'a program leaves a link in its home where a file of ours is written next time',
    level: 'always',
    test: { file: TEST, name: 'does not have files written through links that it left in its home' },
    file: 'src/agents/cli/home.ts',
    from: "    else if (!found.isDirectory()) await deleteFileIn(home, part, { missing: 'ok' })\n",
    to: '',
  },
  {
    case: '25x',
    title: 'a program says a secret in two pieces',
    level: 'always',
    test: { file: TEST, name: 'is told without what is secret, also where that is cut in two' },
    file: 'src/agents/cli/tell.ts',
    from: 'speaker(emit, stream())',
    to: "speaker(emit, { ...stream(), add: (text) => text, end: () => '' })",
  },
  {
    case: '25y',
    title: 'a program is given variables of the user',
    level: 'always',
    test: { file: TEST, name: 'is given its own environment and the variables that are passed on, and no other' },
    file: 'src/agents/cli/stage.ts',
    from: 'const env: Record<string, string> = { ...held.env,',
    to: 'const env: Record<string, string> = { ...(deps.env as Record<string, string>), ...held.env,',
  },
]
