import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { itNeeds } from '../../../test/support/needs.ts'
import { settingsSchema } from '../../core/settings.ts'
import type { Confinement, Launch } from '../../process/port.ts'
import { listProcesses } from '../../process/process-table.ts'
import { createBubblewrap } from '../bubblewrap/backend.ts'
import type { RunLimits } from '../limits/port.ts'
import type { Place, Profile } from '../port.ts'
import { probe, type Tried } from './probe.ts'

const ALL = [
  'writing outside the workspace',
  'reading your home folder',
  'reading other runs and projects',
  'changing git metadata',
  'connecting to programs of this machine',
  'sending to the network',
  'unix sockets of other programs',
  ...(process.platform === 'linux' ? ['abstract sockets of other programs', "reading reeve's environment"] : []),
  'signalling reeve',
  ...(process.platform === 'linux' ? ['new user namespaces'] : []),
  'processes left behind',
]

type Program = Parameters<Confinement['launch']>[0]

/** A confinement that changes what is started, and holds nothing. */
function held(change: (program: Program) => Program): Confinement {
  const launch = (program: Program): Promise<Launch> =>
    Promise.resolve({
      ...change(program),
      descriptors: [],
      diesWhole: false,
      started: () => undefined,
      end: () => Promise.resolve({ usage: null, breach: null, failure: null }),
    })
  return { level: 'guarded', launch }
}

const shell = (line: string) => held((program) => ({ ...program, argv: ['/bin/sh', '-c', line] }))

async function bubblewrap(): Promise<(place: Place, profile: Profile) => Confinement> {
  const limits: Partial<RunLimits> = {
    limits: { tmpBytes: 2 ** 28, sharedMemoryBytes: 2 ** 26 } as RunLimits['limits'],
    outer: () => Promise.resolve([]),
    inner: () => [],
    watch: () => ({ end: () => Promise.resolve({ usage: { memoryBytes: 0, processes: 0, cpuSeconds: 0 }, breach: null }) }),
  }
  const backend = await createBubblewrap({
    settings: settingsSchema.parse({}).sandbox,
    folder: temporaryFolder(),
    env: process.env,
    realHome: process.env['HOME'] ?? '/',
    limitsOf: () => limits as RunLimits,
  })
  if ('unavailable' in backend) throw new Error(backend.unavailable)
  return (place, profile) => backend.confine(place, profile)
}

async function tryUnder(confineFor: (place: Place, profile: Profile) => Confinement): Promise<Tried[]> {
  return await probe(confineFor, { folder: temporaryFolder(), signal: new AbortController().signal })
}

const named = (tried: readonly Tried[], outcome: Tried['outcome']) => tried.filter((it) => it.outcome === outcome).map((it) => it.name)

describe('the probe', () => {
  it('sees every attack succeed where nothing holds, and leaves nothing behind', async () => {
    const tried = await tryUnder(() => held((program) => program))
    expect(named(tried, 'succeeded')).toEqual(ALL)
    expect(new Set(tried.map((it) => it.grip))).toEqual(new Set(['none']))
    expect((await listProcesses()).filter((row) => row.proc.startsWith('probe.'))).toEqual([])
  })

  itNeeds('bwrap')('sees every attack fail in bubblewrap', async () => {
    const tried = await tryUnder(await bubblewrap())
    expect(tried.filter((it) => it.outcome !== 'held')).toEqual([])
    expect(tried.map((it) => it.name)).toEqual(ALL)
    expect(new Set(tried.map((it) => it.grip))).toEqual(new Set(['kernel']))
  })

  const weaknesses: readonly (readonly [lack: string, weaken: (words: string[]) => string[], through: readonly string[]])[] = [
    [
      'a network of its own',
      (words) => words.filter((it) => it !== '--unshare-net'),
      ['connecting to programs of this machine', 'sending to the network', 'abstract sockets of other programs'],
    ],
    ['processes of its own', (words) => words.filter((it) => it !== '--unshare-pid'), ['signalling reeve', 'processes left behind']],
    [
      'a view of its own',
      // The stage of this test is there, where a real one is in the user's home.
      (words) =>
        words
          .join('\n')
          .replace(/--size\n\d+\n--perms\n1777\n--tmpfs\n\/tmp/, '--bind\n/tmp\n/tmp')
          .split('\n'),
      ALL.filter((it) => /^(?:writing|reading your|reading other|changing|unix)/.test(it)),
    ],
  ]
  itNeeds('bwrap').each(weaknesses)('sees what gets through in a sandbox without %s', async (_, weaken, through) => {
    const confineFor = await bubblewrap()
    const weak = (place: Place, profile: Profile): Confinement => ({
      level: 'os-sandbox',
      async launch(program) {
        const launch = await confineFor(place, profile).launch(program)
        const [bwrap, ...words] = launch.argv
        return { ...launch, argv: [bwrap, ...weaken(words)] }
      },
    })
    expect(named(await tryUnder(weak), 'succeeded')).toEqual(through)
  })

  it('does not say that an attack holds which was not tried', async () => {
    const tried = await tryUnder(() => shell(`echo '{"attack":"tcp","refused":"EPERM"}'; echo '{"ready":true}'; sleep 5`))
    expect(named(tried, 'not measured')).toContain('processes left behind')
    expect(named(tried, 'held')).toEqual(['connecting to programs of this machine'])
    expect(tried.find((it) => it.name === 'sending to the network')?.reason).toBe('not measured: it was not tried to the end')
  })

  it('says what a sandbox that does not start has said', async () => {
    const failing = tryUnder(() => shell('echo "bwrap: No such option: --size" >&2; exit 1'))
    await expect(failing).rejects.toMatchObject({ code: 'sandbox_failed' })
    await expect(failing).rejects.toThrow(/could not be started: bwrap: No such option: --size$/)
  })

  it('ends when the work is stopped', async () => {
    const stopping = AbortSignal.abort(new Error('stopped'))
    const confineFor = () => held((program) => program)
    await expect(probe(confineFor, { folder: temporaryFolder(), signal: stopping })).rejects.toThrow('stopped')
  })
})
