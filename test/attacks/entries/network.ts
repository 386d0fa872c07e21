import type { Entry } from '../entry.ts'

const TEST = 'test/attacks/network.test.ts'
const TARGET = 'src/sandbox/network/target.ts'
const WAY = 'src/sandbox/network/way.ts'
const REGISTRIES = 'src/sandbox/network/registries/registries.ts'

/** Any host may be reached. */
const NO_LIST = {
  file: TARGET,
  from: 'const entry = allow.get(keyOf(target))',
  to: 'const entry = allow.get(keyOf(target)) ?? { ...target, own: true }',
}

/** The proxy that setup commands and CLI agents go out through, and the hosts it is given. */
export const NETWORK: readonly Entry[] = [
  {
    case: '18p',
    title: 'a setup command goes around the proxy, or through it to another place',
    level: 'proxy',
    where: 'bubblewrap',
    test: { file: TEST, name: '18: is the proxy alone' },
    ...NO_LIST,
  },
  {
    case: '19',
    title: 'names that look like an allowed one',
    level: 'proxy',
    test: { file: TEST, name: '19: is not passed by names that only look like an allowed one' },
    file: TARGET,
    from: "return entry ?? 'not-allowed'",
    to: 'return entry ?? { ...target, own: false }',
  },
  {
    case: '19b',
    title: 'an address instead of a name',
    level: 'proxy',
    test: { file: TEST, name: '19: is not passed by an address that a lockfile names' },
    file: TARGET,
    from: "if (!HOST.test(target.host)) return 'bad-hostname'",
    to: '',
  },
  {
    case: '20',
    title: 'an allowed name that leads to this machine, its network or the metadata service',
    level: 'proxy',
    test: { file: TEST, name: '20: does not lead an allowed name to this machine' },
    file: WAY,
    from: "return reach === 'public' || (reach === 'private' && entry.own)",
    to: 'return reach.length > 0 || entry.own',
  },
  {
    case: '20b',
    title: "the user's own name that leads to the metadata service",
    level: 'proxy',
    test: { file: TEST, name: "20: leads the user's own name into the local network, but never" },
    file: WAY,
    from: "(reach === 'private' && entry.own)",
    to: 'entry.own',
  },
  {
    case: '20c',
    title: 'a name that changes between check and connection',
    level: 'proxy',
    test: { file: TEST, name: '20: connects to the address that was checked' },
    file: WAY,
    from: 'ways.dial(address, entry.port)',
    to: 'ways.dial((await ways.lookup(entry.host))[0] ?? address, entry.port)',
  },
  {
    case: '36',
    title: 'a change writes another host into the lockfile',
    level: 'proxy',
    where: 'bubblewrap',
    test: { file: TEST, name: '36: is not another host that a change writes into the lockfile' },
    ...NO_LIST,
  },
  {
    case: '36b',
    title: 'another registry in a configuration file of the project',
    level: 'proxy',
    test: {
      file: 'src/sandbox/network/registries/registries.test.ts',
      name: 'are not those that files of the project send package managers to',
    },
    file: REGISTRIES,
    from: 'readAll(files, LOCKFILES)',
    to: 'readAll(files, [...LOCKFILES, ...PROJECT_CONFIGURATION])',
  },
  {
    case: '36c',
    title: 'a lockfile within a dependency names another host',
    level: 'proxy',
    where: 'bubblewrap',
    test: { file: TEST, name: '36: is not another registry that the project names itself' },
    file: REGISTRIES,
    from: 'paths.filter((path) => !NOT_ITS_OWN.test(path))',
    to: 'paths.filter((path) => path.length > 0)',
  },
]
