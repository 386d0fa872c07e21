import type { Entry } from '../entry.ts'

const LIMITS = 'test/attacks/limits.test.ts'
const LEFT = 'test/attacks/left-behind.test.ts'
const OUTPUT = 'test/attacks/output.test.ts'
const PROFILE = 'src/sandbox/bubblewrap/profile.ts'
const OVER = 'src/sandbox/limits/over-limit.ts'

const common = { level: 'L2', where: 'bubblewrap' } as const

/** Where control groups may be made the kernel holds the same limit. */
const ungrouped = { file: 'src/sandbox/limits/of-runs.ts', from: 'const home = (await cgroups?.()) ?? null', to: 'const home = null' }
const unmeasured = { file: 'src/sandbox/probe/probe.ts', from: 'if (harm[attack]) return', to: 'if (!attack) return' }

/** What a run may use, what it leaves, what it prints. */
export const LIMITS_OF_RUNS: readonly Entry[] = [
  {
    case: '28a',
    title: 'fork bomb',
    test: { file: LIMITS, name: '28: processes are stopped' },
    ...common,
    file: OVER,
    from: 'if (running > limits.processes || refused)',
    to: 'if (running < 0)',
    also: [ungrouped],
  },
  {
    case: '28b',
    title: '3 GB of memory',
    test: { file: LIMITS, name: '28: 3 GB of memory' },
    ...common,
    file: OVER,
    from: 'if (exact <= limits.memoryBytes) return null',
    to: 'if (exact !== -1) return null',
    also: [ungrouped],
  },
  {
    case: '28c',
    title: '8 processes with 400 MB each',
    test: { file: LIMITS, name: '28: memory counts for all' },
    ...common,
    file: 'src/sandbox/limits/namespace-sampler.ts',
    from: 'sum.rssBytes += it.rssBytes',
    to: 'sum.rssBytes = Math.max(sum.rssBytes, it.rssBytes)',
    also: [ungrouped],
  },
  {
    case: '28d',
    title: 'shared memory counted more than once',
    test: { file: LIMITS, name: '28: shared memory counts once' },
    ...common,
    file: OVER,
    from: 'programs.map((it, at) => exactOf(it, sums[at] ?? 0))',
    to: 'sums',
  },
  {
    case: '28e',
    title: '1.2 GB in /tmp',
    test: { file: LIMITS, name: '28: 1.2 GB in /tmp' },
    ...common,
    file: PROFILE,
    from: "'--size', `${view.limits.tmpBytes}`, ",
    to: '',
  },
  {
    case: '28f',
    title: '1.2 GB in /dev/shm',
    test: { file: LIMITS, name: '28: 1.2 GB in /tmp' },
    ...common,
    file: PROFILE,
    from: "'--size', `${view.limits.sharedMemoryBytes}`, ",
    to: '',
  },
  {
    case: '28g',
    title: '200,000 files',
    test: { file: LIMITS, name: '28: 200,000 files' },
    ...common,
    file: 'src/sandbox/limits/breaches.ts',
    from: 'return grown.entries > limits.files ?',
    to: 'return grown.entries < 0 ?',
  },
  {
    case: '28h',
    title: 'a file of 5 GB',
    test: { file: LIMITS, name: '28: a file of 5 GB' },
    ...common,
    file: 'src/sandbox/limits/words.ts',
    from: '    `--fsize=${fileBytes}`,\n',
    to: '',
  },
  {
    case: '28i',
    title: 'the disk filled command by command',
    test: { file: LIMITS, name: '28: many files within their own limits' },
    ...common,
    file: 'src/sandbox/limits/breaches.ts',
    from: 'if (grown.bytes > limits.diskBytes) return',
    to: 'if (grown.bytes < 0) return',
  },
  {
    case: '28j',
    title: 'a spinning processor',
    test: { file: LIMITS, name: '28: a spinning processor' },
    ...common,
    file: OVER,
    from: 'if (cpuSeconds > limits.cpuSeconds)',
    to: 'if (cpuSeconds < 0)',
    also: [
      {
        file: 'src/sandbox/limits/words.ts',
        from: '    `--cpu=${Math.min(limits.cpuSeconds + SPARE_CPU_SECONDS, hard.cpuSeconds)}`,\n',
        to: '',
      },
    ],
  },
  {
    case: '29a',
    title: 'double fork, own session, trapped signals at the time limit',
    test: { file: LEFT, name: '29: nothing of a stubborn one' },
    ...common,
    file: PROFILE,
    from: "    ['--die-with-parent'],\n",
    to: '',
    also: [ungrouped],
  },
  {
    case: '29b',
    title: 'the same when the program ends by itself',
    test: { file: LEFT, name: '29: nothing of it is left when it ends' },
    ...common,
    file: PROFILE,
    from: " '--unshare-pid',",
    to: '',
    also: [ungrouped],
  },
  {
    case: '29c',
    title: 'the same when reeve is killed',
    test: { file: LEFT, name: '29: nothing of it is left when reeve' },
    ...common,
    file: PROFILE,
    from: "    ['--die-with-parent'],\n",
    to: '',
    also: [ungrouped, unmeasured],
  },
  {
    case: '29d',
    title: 'a number that was used again, at the next start',
    test: { file: LEFT, name: '29: the groups of a dead reeve' },
    level: 'L1',
    where: 'linux',
    file: 'src/sandbox/limits/cgroups/names.ts',
    from: '!(await isAlive({ pid: Number(pid), started }))',
    to: '!process.kill(Number(pid), 0)',
  },
  {
    case: '30e',
    title: 'output without end',
    test: { file: OUTPUT, name: '30: without end' },
    ...common,
    file: 'src/sandbox/bubblewrap/backend.ts',
    from: '        outputBytes: limits.limits.outputBytes,\n',
    to: '',
  },
  {
    case: '30l',
    title: 'a line of 1 GB',
    test: { file: OUTPUT, name: '30: a line of 1 GB' },
    ...common,
    file: 'src/process/output-cap.ts',
    from: '[... ${missing} bytes left out ...]',
    to: '',
  },
  {
    case: '30u',
    title: 'bytes that are no text',
    test: { file: OUTPUT, name: '30: of any bytes' },
    ...common,
    file: 'src/process/output-cap.ts',
    from: "Buffer.concat([start, tail()]).toString('utf8')",
    to: "Buffer.concat([start, tail()]).toString('latin1')",
  },
]
