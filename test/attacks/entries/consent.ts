import type { Entry } from '../entry.ts'

const TEST = 'src/config/consent.test.ts'
const CONSENT = 'src/config/consent.ts'

/** What a project's own file would have done with things of the user's, who has not been asked. */
export const CONSENT_ENTRIES: readonly Entry[] = [
  {
    case: '17c',
    title: 'a project names a program',
    level: 'always',
    test: { file: TEST, name: 'asks before it runs a program' },
    file: CONSENT,
    from: "...(says('binary') || says('args')",
    to: "...(says('no key')",
  },
  {
    case: '17d',
    title: 'a project names a module that is loaded into reeve',
    level: 'always',
    test: { file: TEST, name: 'asks before it runs a program' },
    file: CONSENT,
    from: "...(says('module') ?",
    to: "...(says('no key') ?",
  },
  {
    case: '17e',
    title: 'a project uses the log-in of the user',
    level: 'always',
    test: { file: TEST, name: 'asks before a program is shown your log-in' },
    file: CONSENT,
    from: "says('login') && provider.login",
    to: "says('no key') && provider.login",
  },
  {
    case: '17f',
    title: 'a project names a private file of the user as a key',
    level: 'always',
    test: { file: TEST, name: 'asks before a file of yours is used as a key' },
    file: CONSENT,
    from: '[`what is in the file ${file}`]',
    to: '[]',
  },
  {
    case: '17g',
    title: 'a project puts the value of a variable where a model sees it',
    level: 'always',
    test: { file: TEST, name: 'asks before the value of a variable goes to a server that the project does not name' },
    file: CONSENT,
    from: '      ...values,\n      ...theirs',
    to: '      ...theirs',
  },
  {
    case: '17p',
    title: 'a project makes calls cheap, so that no budget is reached',
    level: 'always',
    test: { file: TEST, name: 'asks before calls are counted at prices of the project' },
    file: CONSENT,
    from: ', ...pricesOf(question, settings.prices)]',
    to: ']',
  },
  {
    case: '17q',
    title: 'a project lifts a budget of the user',
    level: 'always',
    test: { file: 'src/config/own.test.ts', name: 'may be lowered by a project, never lifted' },
    file: 'src/config/own.ts',
    from: "typeof value === 'number' && value <= mine",
    to: "typeof value === 'number' || value === ''",
  },
  {
    case: '17r',
    title: 'a project is answered with the recording of another one',
    level: 'always',
    test: { file: TEST, name: 'asks before a project is answered with a recording' },
    file: CONSENT,
    from: "says('file') && isElsewhere(",
    to: "says('no key') && isElsewhere(",
  },
]
