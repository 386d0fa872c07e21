import type { Entry } from '../entry.ts'

const GIT = 'src/workspace/git.ts'
const TEST = 'src/workspace/git-attacks.test.ts'

/** What a task plants for the git of others. */
export const GIT_BOUNDARY: readonly Entry[] = [
  {
    case: '10',
    title: 'a hook in .git/hooks, then reeve commits and publishes',
    level: 'always',
    test: { file: TEST, name: 'execute nothing: a reference-transaction hook' },
    file: GIT,
    from: "  'core.hooksPath=/dev/null',\n",
    to: '',
  },
  {
    case: '11',
    title: 'a tracked hook under core.hooksPath',
    level: 'always',
    test: { file: TEST, name: 'execute nothing: a tracked hook under core.hooksPath' },
    file: GIT,
    from: "  'core.hooksPath=/dev/null',\n",
    to: '',
  },
  {
    case: '12a',
    title: 'core.fsmonitor',
    level: 'always',
    test: { file: TEST, name: 'execute nothing: core.fsmonitor' },
    file: GIT,
    from: "  'core.fsmonitor=false',\n",
    to: '',
  },
]
