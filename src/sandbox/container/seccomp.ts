import { z } from 'zod'
import { parseJson } from '../../core/json.ts'

const profile = z.looseObject({ syscalls: z.array(z.looseObject({ names: z.array(z.string()) })) })

/**
 * Never needed to build or test, and where holes of the kernel have been: new namespaces (a user namespace gives back all capabilities
 * within it), mounts, keys, asynchronous calls that no filter sees.
 */
const TAKEN = [
  'unshare setns clone clone3 keyctl add_key request_key userfaultfd bpf perf_event_open',
  'mount umount umount2 pivot_root move_mount open_tree mount_setattr fsopen fsconfig fsmount fspick',
].flatMap((line) => line.split(' '))
const NO_SUCH_CALL = ['clone3', 'io_uring_setup', 'io_uring_enter', 'io_uring_register']
/** All flags of `clone` that make a namespace. */
const NAMESPACES = 0x7e_02_00_00
const [EPERM, ENOSYS] = [1, 38]

/** The engine's own system call filter (in the form podman and docker read) with less allowed. Throws when it is none. */
export function narrowed(text: string, source: string): string {
  const { syscalls, ...rest } = profile.parse(parseJson(text, source))
  const gone = new Set([...TAKEN, ...NO_SUCH_CALL])
  const kept = syscalls.flatMap((it) => {
    const names = it.names.filter((name) => !gone.has(name))
    return names.length === 0 ? [] : [{ ...it, names }]
  })
  const noNamespace = [{ index: 0, value: NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]
  const own = [
    { names: ['clone'], action: 'SCMP_ACT_ALLOW', args: noNamespace },
    { names: TAKEN.filter((it) => !it.startsWith('clone')), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
    // Whoever is told that there is no such call uses the older one.
    { names: NO_SUCH_CALL, action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ]
  return JSON.stringify({ ...rest, syscalls: [...kept, ...own] })
}
