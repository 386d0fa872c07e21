import type { Entry } from '../entry.ts'

const level = 'always'
const SERVER_TEST = 'src/mcp/server.test.ts'
const WORKSPACE = 'src/operations/workspace.ts'
const WORKSPACE_TEST = 'src/operations/workspace.test.ts'
const DECIDE_TEST = { file: 'src/mcp/decide.test.ts', name: 'takes no answer that was not asked for' }
const TASKS_TEST = { file: 'src/mcp/tasks.test.ts', name: 'knows no task that it has not given to this caller' }

/** What other agents may do by our tools, and what they are shown. */
export const MCP_ENTRIES: readonly Entry[] = [
  {
    case: '33m',
    title: 'an agent says yes in place of a person',
    level,
    test: { file: SERVER_TEST, name: 'decides nothing that a person has to, unless the configuration lets it' },
    file: 'src/operations/runs-signal.ts',
    from: 'if (input.by_tool) await mustAllowTools(context, input.run)',
    to: '',
  },
  {
    case: '33n',
    title: 'the answer to one question is brought to another',
    level,
    test: DECIDE_TEST,
    file: 'src/mcp/decide.ts',
    from: 'if (sealed.run !== it.run || sealed.question !== it.question)',
    to: 'if (sealed.run === "")',
  },
  {
    case: '44m',
    title: 'an answer that was asked of somebody else',
    level,
    test: DECIDE_TEST,
    file: 'src/mcp/server.ts',
    from: ', bind: (ctx) => `${ctx.mcpReq.method}\\0${caller}`',
    to: '',
  },
  {
    case: '44n',
    title: 'a task of somebody else, or one that was guessed',
    level,
    test: TASKS_TEST,
    file: 'src/mcp/tasks.ts',
    from: 'return mac.length === right.length && timingSafeEqual(mac, right) ? run : null',
    to: 'return mac.length >= 0 && right.length > 0 && timingSafeEqual(right, right) ? run : null',
  },
  {
    case: '31m',
    title: 'control characters in what tools answer',
    level,
    test: { file: SERVER_TEST, name: 'carries nothing that a terminal or a model could be led by' },
    file: 'src/mcp/answer.ts',
    from: "if (typeof value === 'string') return visible(value)",
    to: "if (typeof value === 'string') return value",
  },
  {
    case: '8w',
    title: 'a path out of the workspace, asked for over the network',
    level,
    test: { file: WORKSPACE_TEST, name: 'leads nowhere outside of the workspace' },
    file: WORKSPACE,
    from: 'const bytes = await readFileIn(root, path, maxBytes)',
    to: 'const bytes = await readFile(`${root}/${path}`).catch(() => null)',
    also: [
      { file: WORKSPACE, from: "import { lstat } from 'node:fs/promises'", to: "import { lstat, readFile } from 'node:fs/promises'" },
      {
        file: WORKSPACE,
        from: '    const path = checkRelative(input.path)\n    const place',
        to: '    const { path } = input\n    const place',
      },
    ],
  },
  {
    case: '50z',
    title: 'a file that may hold secrets, asked for over the network',
    level,
    test: { file: WORKSPACE_TEST, name: 'lists and reads the files of a workspace as they are now, without what may hold secrets' },
    file: WORKSPACE,
    from: 'refusal: forbiddenBy(settings.files.forbidden)',
    to: 'refusal: () => null',
    also: [{ file: WORKSPACE, from: "import { forbiddenBy } from '../agents/tools/file-guard.ts'\n", to: '' }],
  },
]
