import { describe, expect, it } from 'vitest'
import { hasFilter, seccompFilter } from './seccomp.ts'

// Words of <linux/seccomp.h> and <linux/audit.h>, and numbers of the kernel's tables, written down once more: the test must not learn them from the filter.
const ANSWERS = new Map([
  [0x7fff0000, 'allowed'],
  [0x00050001, 'EPERM'],
  [0x00050026, 'ENOSYS'],
  [0x80000000, 'killed'],
])
const MACHINES = {
  x64: { arch: 0xc000003e, read: 0, openat: 257, socket: 41, ioctl: 16, clone: 56, mount: 165, unshare: 272, ptrace: 101, bpf: 321 },
  arm64: { arch: 0xc00000b7, read: 63, openat: 56, socket: 198, ioctl: 29, clone: 220, mount: 40, unshare: 97, ptrace: 117, bpf: 280 },
} as const
const [CLONE3, IO_URING_SETUP, FSOPEN] = [435, 425, 430]
const I386 = 0x40000003

interface Call {
  number: number
  arch: number
  args?: readonly bigint[]
}

/** What the kernel would do: `struct seccomp_data` through a program of classic BPF. Throws where a jump leaves the program. */
function answerOf(filter: Buffer, { number, arch, args = [] }: Call): string {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number, 0)
  data.writeUInt32LE(arch, 4)
  for (const [at, value] of args.entries()) data.writeBigUInt64LE(value, 16 + at * 8)
  let loaded = 0
  for (let at = 0; ; at += 1) {
    const [code, k] = [filter.readUInt16LE(at * 8), filter.readUInt32LE(at * 8 + 4)]
    const jump = (holds: boolean) => filter.readUInt8(at * 8 + (holds ? 2 : 3))
    if (code === 0x06) return ANSWERS.get(k) ?? `0x${k.toString(16)}`
    if (code === 0x20) loaded = data.readUInt32LE(k)
    else if (code === 0x15) at += jump(loaded === k)
    else if (code === 0x35) at += jump(loaded >= k)
    else if (code === 0x45) at += jump((loaded & k) !== 0)
    else throw new Error(`Instruction ${at} is 0x${code.toString(16)}.`)
  }
}

describe.each(['x64', 'arm64'] as const)('the system call filter of %s', (name) => {
  const { arch, ...calls } = MACHINES[name]
  const filter = seccompFilter(name)
  const ask = (number: number, ...args: bigint[]) => answerOf(filter, { number, arch, args })

  it('leaves ordinary calls alone, and tracing of one’s own', () => {
    expect([calls.read, calls.openat, calls.ptrace].map((it) => ask(it))).toEqual(['allowed', 'allowed', 'allowed'])
  })

  it('refuses mounts, namespaces and the kernel’s own programs', () => {
    expect([calls.mount, calls.unshare, calls.bpf, FSOPEN].map((it) => ask(it))).toEqual(['EPERM', 'EPERM', 'EPERM', 'EPERM'])
  })

  it('says that there is no io_uring and no clone3, so that programs take the older way', () => {
    expect([IO_URING_SETUP, CLONE3].map((it) => ask(it))).toEqual(['ENOSYS', 'ENOSYS'])
  })

  it.each([
    ['unix', 1n, 'allowed'],
    ['IPv4', 2n, 'allowed'],
    ['IPv6', 10n, 'allowed'],
    ['netlink', 16n, 'allowed'],
    ['packet', 17n, 'EPERM'],
    ['kernel crypto', 38n, 'EPERM'],
    ['hypervisor', 40n, 'EPERM'],
    ['unspecified', 0n, 'EPERM'],
  ])('sockets of family %s', (_, family, answer) => {
    expect(ask(calls.socket, family)).toBe(answer)
  })

  it('lets nobody type into a terminal, also not with bits above those that the kernel looks at', () => {
    const [TCGETS, TIOCSTI, TIOCLINUX] = [0x5401n, 0x5412n, 0x541cn]
    expect([TCGETS, TIOCSTI, TIOCLINUX, TIOCSTI | (1n << 32n)].map((it) => ask(calls.ioctl, 3n, it))).toEqual([
      'allowed',
      'EPERM',
      'EPERM',
      'EPERM',
    ])
  })

  it('makes processes and threads, and no user namespace', () => {
    const [SIGCHLD, THREAD, NEWUSER] = [17n, 0x3d0f00n, 0x10000000n]
    expect([SIGCHLD, THREAD, NEWUSER | SIGCHLD].map((it) => ask(calls.clone, it))).toEqual(['allowed', 'allowed', 'EPERM'])
  })

  it('kills who calls by the numbers of another architecture', () => {
    expect(answerOf(filter, { number: calls.read, arch: I386 })).toBe('killed')
  })

  it('has an answer to every number, with any arguments', () => {
    const odd: unknown[] = []
    for (let number = 0; number < 700; number += 1) {
      for (const value of [0n, 40n, 0x5412n, (1n << 64n) - 1n]) {
        const answer = ask(number, value, value)
        if (!['allowed', 'EPERM', 'ENOSYS'].includes(answer)) odd.push([number, value, answer])
      }
    }
    expect(odd).toEqual([])
  })
})

it('kills calls of the x32 kind, which have numbers of their own', () => {
  const { arch, mount } = MACHINES.x64
  expect(answerOf(seccompFilter('x64'), { number: mount + 0x40000000, arch })).toBe('killed')
})

it('is there for two architectures', () => {
  expect(['x64', 'arm64', 'ia32', 'riscv64'].map((it) => hasFilter(it))).toEqual([true, true, false, false])
})
