import type { Entry } from '../entry.ts'

const PROFILE = 'src/sandbox/bubblewrap/profile.ts'
const FILTER = 'src/sandbox/bubblewrap/seccomp.ts'
const FILES = 'test/attacks/os-files.test.ts'
const NETWORK = 'test/attacks/os-network.test.ts'
const PROCESSES = 'test/attacks/os-processes.test.ts'
const BUILDS = 'test/attacks/os-builds.test.ts'

const common = { level: 'L2', where: 'bubblewrap' } as const

/** Without it a sandbox with such a hole is not used at all, so that the test would not get far enough to be attacked. */
const unmeasured = { also: [{ file: 'src/sandbox/probe/probe.ts', from: 'if (harm[attack]) return', to: 'if (!attack) return' }] }

/** Defences of the sandbox, and what it is like without each. */
const shown = {
  ...common,
  ...unmeasured,
  file: PROFILE,
  // The tests' machine lies there; a view that names what is shown is what hides it.
  from: "'--dev', '/dev'",
  to: "'--bind', '/var/tmp', '/var/tmp', '--dev', '/dev'",
} as const
const network = { ...common, ...unmeasured, file: PROFILE, from: " '--unshare-net',", to: '' } as const
const processes = { ...common, ...unmeasured, file: PROFILE, from: " '--unshare-pid',", to: '' } as const
const guarded = {
  ...common,
  ...unmeasured,
  file: PROFILE,
  from: "[...view.guarded].flatMap(([at, file]) => ['--ro-bind', file, at])",
  to: "[...view.guarded].flatMap(([at, file]) => (at.endsWith('/.git') ? [] : ['--ro-bind', file, at]))",
} as const
const readOnly = {
  ...common,
  ...unmeasured,
  file: PROFILE,
  from: "outermost(view.readable).flatMap((it) => ['--ro-bind', it, it])",
  to: "outermost(view.readable).flatMap((it) => ['--bind', it, it])",
} as const
const filter = {
  ...common,
  file: FILTER,
  from: '    ...Object.values(REFUSED[arch]).flatMap((it) => answer(it, EPERM)),\n',
  to: '',
} as const

/** What a program in the sandbox tries with this machine. */
export const OS_SANDBOX: readonly Entry[] = [
  { case: '1', title: 'write to the home of the user', test: { file: FILES, name: '1: are not written by a command' }, ...shown },
  { case: '2a', title: 'read keys, tokens, histories', test: { file: FILES, name: '2: are not read: keys' }, ...shown },
  {
    case: '2b',
    title: 'read the home by a toolchain that lies in it',
    test: { file: FILES, name: '2: are not shown with a toolchain' },
    ...common,
    ...unmeasured,
    file: 'src/sandbox/toolchains.ts',
    from: "path === '/' || around.some((it) => it === path || it.startsWith(`${path}/`))",
    to: "path === '/'",
  },
  {
    case: '1w',
    title: 'write the workspace as an agent whose role writes nothing',
    test: { file: FILES, name: '1: are not written by an agent that may write nothing' },
    ...common,
    file: 'src/sandbox/bubblewrap/backend.ts',
    from: 'writable: [...(place.readOnly === true ? [] : [place.tree]), place.home,',
    to: 'writable: [place.tree, place.home,',
  },
  {
    case: '2c',
    title: 'read the home by a link where a command looks for programs',
    test: { file: FILES, name: '2: are not shown by a link' },
    ...common,
    file: 'src/sandbox/bubblewrap/backend.ts',
    from: 'named ??= namedOutside(confinedEnv(request, place, profile), place)',
    to: 'named = program.env',
  },
  {
    case: '3p',
    title: 'read another project whose programs are on the search path',
    test: { file: 'src/sandbox/toolchains.test.ts', name: 'is of another project only' },
    ...common,
    file: 'src/sandbox/toolchains.ts',
    from: "join(prefix, '.git')",
    to: "join(prefix, '.git/none')",
  },
  {
    case: '1l',
    title: 'have a library loaded on the way into the sandbox',
    test: { file: FILES, name: '1: are not written by a library' },
    ...common,
    file: 'src/sandbox/bubblewrap/launch.ts',
    from: 'env: free,',
    to: 'env,',
  },
  {
    case: '34w',
    title: 'close the folder of a gate, so that the sandbox seems to fail',
    test: { file: FILES, name: '34: are not what a command fails by' },
    ...common,
    file: 'src/sandbox/bubblewrap/launch.ts',
    from: "bwrapArguments({ ...view, cwd: '/' })",
    to: 'bwrapArguments(view)',
  },
  { case: '3', title: 'read another run, the checkout, another repository', test: { file: FILES, name: '3: are not read' }, ...shown },
  { case: '4s', title: 'write through a link made by a shell', test: { file: FILES, name: '4: are not written through a link' }, ...shown },
  {
    case: '12w',
    title: 'write the .git file of the worktree',
    test: { file: FILES, name: '12: cannot be written by a command: the .git file' },
    ...guarded,
  },
  {
    case: '12p',
    title: 'write the private git directory',
    test: { file: FILES, name: "12: cannot be written by a command: the run's" },
    ...readOnly,
  },
  {
    case: '12u',
    title: "write the user's repository",
    test: { file: FILES, name: "12: cannot be written by a command: the user's" },
    ...readOnly,
  },
  {
    case: '18a',
    title: 'TCP by name, by address, IPv6, /dev/tcp',
    test: { file: NETWORK, name: '18: is not there for a command: no address' },
    ...network,
  },
  {
    case: '18b',
    title: 'UDP, name server, ping',
    test: { file: NETWORK, name: '18: is not there for a command: no datagram' },
    ...network,
  },
  {
    case: '18s',
    title: "this machine and another program's servers, by who has servers of reeve's own",
    test: { file: 'src/sandbox/services.test.ts', name: 'is all there is: no network' },
    ...network,
  },
  {
    case: '22a',
    title: 'daemons, databases, abstract sockets',
    test: { file: NETWORK, name: '22: is not reached by a command: daemons' },
    ...network,
  },
  {
    case: '22b',
    title: 'unix sockets: container engine, ssh agent, D-Bus',
    test: { file: NETWORK, name: '22: is not reached by a command: daemons' },
    ...shown,
  },
  {
    case: '22c',
    title: 'vsock and other families of sockets',
    test: { file: NETWORK, name: '22: is not reached by a command: the host' },
    ...common,
    file: FILTER,
    from: 'const FAMILIES = [1, 2, 10, 16]',
    to: 'const FAMILIES = [1, 2, 10, 16, 40]',
  },
  { case: '23', title: 'systemd-run, at, crontab, tmux', test: { file: NETWORK, name: '23: starts nothing for a command' }, ...shown },
  { case: '24a', title: 'see and kill reeve', test: { file: PROCESSES, name: '24: are neither seen nor ended' }, ...processes },
  { case: '24b', title: 'trace other processes', test: { file: PROCESSES, name: '24: are not traced' }, ...filter },
  {
    case: '25a',
    title: "secrets of reeve's environment",
    test: { file: PROCESSES, name: '25: are not in the environment' },
    ...common,
    file: 'src/process/env.ts',
    from: 'for (const name of PASSED) if (from[name]) env[name] = from[name]',
    to: 'Object.assign(env, from)',
  },
  {
    case: '25b',
    title: 'core dumps',
    test: { file: PROCESSES, name: '25: are not in the environment' },
    ...common,
    file: 'src/sandbox/limits/words.ts',
    from: "    '--core=0',\n",
    to: "    '--core=1000000',\n",
  },
  {
    case: '26s',
    title: "descriptors of the sandbox's own making",
    test: { file: PROCESSES, name: '26: no open file of reeve' },
    ...common,
    file: 'src/sandbox/bubblewrap/launch.ts',
    from: 'exec 5>&-; ',
    to: '',
  },
  {
    case: '27a',
    title: 'user namespaces',
    test: { file: PROCESSES, name: '27: gives a command no further user namespace' },
    ...filter,
    also: [...unmeasured.also, { file: PROFILE, from: "'--disable-userns'", to: "'--unshare-uts'" }],
  },
  {
    case: '27b',
    title: 'capabilities',
    test: { file: PROCESSES, name: '27: gives a command no privilege' },
    ...common,
    file: PROFILE,
    from: "'--cap-drop', 'ALL'",
    to: "'--cap-add', 'ALL'",
  },
  {
    case: '27c',
    title: 'bpf, keyctl, userfaultfd, perf, mounts',
    test: { file: PROCESSES, name: '27: refuses a command system calls' },
    ...filter,
  },
  {
    case: '27d',
    title: 'io_uring',
    test: { file: PROCESSES, name: '27: refuses a command system calls' },
    ...common,
    file: FILTER,
    from: '...[...Object.values(MISSING), special.clone3]',
    to: '...[special.clone3]',
  },
  {
    case: '27f',
    title: 'user namespaces by clone',
    test: { file: PROCESSES, name: '27: refuses a command system calls' },
    ...common,
    file: FILTER,
    from: '[IF_ANY_BIT, 0, 1, CLONE_NEWUSER]',
    to: '[IF_ANY_BIT, 1, 1, CLONE_NEWUSER]',
  },
  {
    case: '27g',
    title: "another architecture's system calls",
    test: { file: PROCESSES, name: '27: ends a command that calls it' },
    ...common,
    file: FILTER,
    from: '[IF_EQUAL, 1, 0, AUDIT_ARCH[arch]]',
    to: '[IF_EQUAL, 1, 1, AUDIT_ARCH[arch]]',
  },
  {
    case: '27e',
    title: 'TIOCSTI',
    test: { file: PROCESSES, name: '27: does not let a command type' },
    ...common,
    file: FILTER,
    from: '    ...byArgument(special.ioctl, AT_SECOND, [...anyOf(TERMINAL_REQUESTS, EPERM), [RETURN, 0, 0, ALLOW]]),\n',
    to: '',
  },
  {
    case: '35a',
    title: 'a package script: network',
    test: { file: BUILDS, name: '35: has no network, no home and no git: setup.py' },
    ...network,
  },
  {
    case: '35b',
    title: 'a package script: home',
    test: { file: BUILDS, name: '35: has no network, no home and no git: a postinstall' },
    ...shown,
  },
  {
    case: '35c',
    title: 'a package script: git',
    test: { file: BUILDS, name: '35: has no network, no home and no git: a prepare' },
    ...guarded,
  },
  {
    case: '35d',
    title: 'execute_process of CMake',
    test: { file: BUILDS, name: '35: has no network, no home and no git: execute_process' },
    ...network,
  },
  { case: '35e', title: 'build.rs', test: { file: BUILDS, name: '35: has no network, no home and no git: build.rs' }, ...guarded },
  {
    case: '35f',
    title: 'scripts of packages at all',
    test: { file: BUILDS, name: '35: does not run at all' },
    ...common,
    file: 'src/sandbox/profile-env.ts',
    from: "npm_config_ignore_scripts: 'true'",
    to: "npm_config_ignore_scripts: 'false'",
  },
  {
    case: '37a',
    title: 'a poisoned cache: commands of a run',
    test: { file: BUILDS, name: '37: is not written by the commands of a run' },
    ...common,
    file: 'src/sandbox/bubblewrap/backend.ts',
    from: '...(mayInstall ? packages : [])',
    to: '...packages',
  },
  {
    case: '37c',
    title: 'a poisoned cache: another project',
    test: { file: BUILDS, name: '37: is not what a run of another project uses' },
    ...common,
    file: 'src/workspace/held.ts',
    from: "createHash('sha256').update(project.root).digest('hex').slice(0, 16)",
    to: "createHash('sha256').digest('hex').slice(0, 16)",
  },
]
