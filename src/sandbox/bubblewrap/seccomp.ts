/**
 * A seccomp filter for `bwrap --seccomp`, written as classic BPF: no native code, no libseccomp. Numbers are those of the kernel's system call
 * tables; layout and opcodes are those of <linux/seccomp.h> and <linux/filter.h>.
 */

type Architecture = 'x64' | 'arm64'

/**
 * Refused in every sandbox: looking into the memory of others, the kernel's own programs and keys, mounts, clocks, modules. Tracing is left:
 * the processes of others are not there, and the leak checkers of compilers trace their own.
 */
const REFUSED: Record<Architecture, Readonly<Record<string, number>>> = {
  x64: {
    process_vm_readv: 310,
    process_vm_writev: 311,
    bpf: 321,
    keyctl: 250,
    add_key: 248,
    request_key: 249,
    userfaultfd: 323,
    perf_event_open: 298,
    mount: 165,
    umount2: 166,
    pivot_root: 155,
    open_by_handle_at: 304,
    kexec_load: 246,
    kexec_file_load: 320,
    init_module: 175,
    finit_module: 313,
    delete_module: 176,
    setns: 308,
    unshare: 272,
    swapon: 167,
    swapoff: 168,
    reboot: 169,
    acct: 163,
    quotactl: 179,
    syslog: 103,
    settimeofday: 164,
    clock_settime: 227,
    fsopen: 430,
    fsmount: 432,
    move_mount: 429,
    open_tree: 428,
    mount_setattr: 442,
  },
  arm64: {
    process_vm_readv: 270,
    process_vm_writev: 271,
    bpf: 280,
    keyctl: 219,
    add_key: 217,
    request_key: 218,
    userfaultfd: 282,
    perf_event_open: 241,
    mount: 40,
    umount2: 39,
    pivot_root: 41,
    open_by_handle_at: 265,
    kexec_load: 104,
    kexec_file_load: 294,
    init_module: 105,
    finit_module: 273,
    delete_module: 106,
    setns: 268,
    unshare: 97,
    swapon: 224,
    swapoff: 225,
    reboot: 142,
    acct: 89,
    quotactl: 60,
    syslog: 116,
    settimeofday: 170,
    clock_settime: 112,
    fsopen: 430,
    fsmount: 432,
    move_mount: 429,
    open_tree: 428,
    mount_setattr: 442,
  },
}
// Said not to exist, so that libuv and others fall back quietly.
const MISSING = { io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 }
/** Looked at by argument. `clone` with the flag for a user namespace is refused; `clone3` hides its flags, so it does not exist. */
const BY_ARGUMENT: Record<Architecture, { socket: number; ioctl: number; clone: number; clone3: number }> = {
  x64: { socket: 41, ioctl: 16, clone: 56, clone3: 435 },
  arm64: { socket: 198, ioctl: 29, clone: 220, clone3: 435 },
}
// Unix, IPv4, IPv6, netlink. Refuses AF_VSOCK, which reaches a hypervisor's host, AF_PACKET, AF_ALG and what comes next.
const FAMILIES = [1, 2, 10, 16]
// TIOCSTI and TIOCLINUX type into the terminal of whoever started the sandbox.
const TERMINAL_REQUESTS = [0x5412, 0x541c]
const CLONE_NEWUSER = 0x10000000

const AUDIT_ARCH: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 }
const X32_BIT = 0x40000000

const [LOAD, IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06]
const [ALLOW, EPERM, ENOSYS, KILL] = [0x7fff0000, 0x00050001, 0x00050026, 0x80000000]
// Offsets in struct seccomp_data; arguments are 64 bits wide and their low half comes first on both architectures.
const [AT_NUMBER, AT_ARCH, AT_FIRST, AT_SECOND] = [0, 4, 16, 24]

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number]

/** Is there a table for this machine? */
export function hasFilter(arch: string = process.arch): arch is Architecture {
  return arch === 'x64' || arch === 'arm64'
}

/** The filter as bytes of `struct sock_filter`. */
export function seccompFilter(arch: Architecture): Buffer {
  const special = BY_ARGUMENT[arch]
  const program: Instruction[] = [
    // Another architecture (32 bits on 64) would have other numbers.
    [LOAD, 0, 0, AT_ARCH],
    [IF_EQUAL, 1, 0, AUDIT_ARCH[arch]],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, AT_NUMBER],
    ...(arch === 'x64'
      ? ([
          [IF_AT_LEAST, 0, 1, X32_BIT],
          [RETURN, 0, 0, KILL],
        ] satisfies Instruction[])
      : []),
    ...Object.values(REFUSED[arch]).flatMap((it) => answer(it, EPERM)),
    ...[...Object.values(MISSING), special.clone3].flatMap((it) => answer(it, ENOSYS)),
    ...byArgument(special.socket, AT_FIRST, [...anyOf(FAMILIES, ALLOW), [RETURN, 0, 0, EPERM]]),
    ...byArgument(special.ioctl, AT_SECOND, [...anyOf(TERMINAL_REQUESTS, EPERM), [RETURN, 0, 0, ALLOW]]),
    ...byArgument(special.clone, AT_FIRST, [
      [IF_ANY_BIT, 0, 1, CLONE_NEWUSER],
      [RETURN, 0, 0, EPERM],
      [RETURN, 0, 0, ALLOW],
    ]),
    [RETURN, 0, 0, ALLOW],
  ]
  const bytes = Buffer.alloc(program.length * 8)
  for (const [at, [code, jumpTrue, jumpFalse, k]] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8)
    bytes.writeUInt8(jumpTrue, at * 8 + 2)
    bytes.writeUInt8(jumpFalse, at * 8 + 3)
    bytes.writeUInt32LE(k >>> 0, at * 8 + 4)
  }
  return bytes
}

function answer(number: number, result: number): Instruction[] {
  return [
    [IF_EQUAL, 0, 1, number],
    [RETURN, 0, 0, result],
  ]
}

function anyOf(values: readonly number[], result: number): Instruction[] {
  return values.flatMap((it) => answer(it, result))
}

/** Instructions for one call, looking at one of its arguments; they must end in a return. The call's number stays loaded for all others. */
function byArgument(number: number, at: number, then: readonly Instruction[]): Instruction[] {
  return [[IF_EQUAL, 0, then.length + 1, number], [LOAD, 0, 0, at], ...then]
}
