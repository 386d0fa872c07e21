import { type ChildProcess, spawn } from 'node:child_process'
import { describe, expect, onTestFinished } from 'vitest'
import { closeInherited } from '../../src/process/inherited.ts'
import { itNeeds } from '../support/needs.ts'
import { bench, SECRET } from './bench.ts'

const it = itNeeds('bubblewrap')
const itPython = itNeeds('bubblewrap', 'python3')
const [EPERM, ESRCH, ENOSYS] = [1, 3, 38]

/** A process of the user with a secret, outside: it stands for reeve itself. */
function victim(): ChildProcess & { pid: number } {
  const child = spawn('sleep', ['600'], { env: { VICTIM: SECRET }, stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  if (child.pid === undefined) throw new Error('there is no sleep')
  return Object.assign(child, { pid: child.pid })
}

/** Python that calls by number and prints the error of each, 0 when it went through. */
const CALLS = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(number, *args)
    print(name, 0 if result >= 0 else ctypes.get_errno())
`

describe('other processes of the user', () => {
  it('24: are neither seen nor ended by a command', async () => {
    const outside = victim()
    const { shell } = await bench()
    const { stdout } = await shell(`
      cat /proc/${outside.pid}/environ /proc/${process.pid}/environ; cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -a ${SECRET}
      kill -TERM ${outside.pid}; kill -CONT ${process.pid} && echo signalled; ls -d /proc/[0-9]* | wc -l`)
    expect(stdout).not.toContain(SECRET)
    expect(stdout).not.toContain('signalled')
    expect(Number(stdout.trim().split('\n').at(-1)), 'processes in /proc').toBeLessThan(10)
    expect([outside.exitCode, outside.signalCode]).toEqual([null, null])
  })

  itPython('24: are not traced by a command, nor is their memory read', async () => {
    const outside = victim()
    const { python } = await bench()
    const { stdout } = await python(`${CALLS}
import platform
x64 = platform.machine() == 'x86_64'
call('trace me', 101 if x64 else 117, 0, 0, 0, 0)
call('seize', 101 if x64 else 117, 0x4206, ${outside.pid}, 0, 0)
call('read memory', 310 if x64 else 270, ${outside.pid}, 0, 0, 0, 0, 0)
`)
    // A program may trace its own, as leak checkers do; another's is not there for it.
    expect(stdout).toBe(`trace me 0\nseize ${ESRCH}\nread memory ${EPERM}\n`)
    expect([outside.exitCode, outside.signalCode]).toEqual([null, null])
  })
})

describe('secrets of reeve', () => {
  it('25: are not in the environment of anything in the sandbox, nor in a core dump', async () => {
    const { shell } = await bench({ env: () => ({ ANTHROPIC_API_KEY: SECRET, MY_VARIABLE: SECRET, AWS_PROFILE: SECRET }) })
    const { stdout } = await shell(`env; cat /proc/[0-9]*/environ | tr '\\0' '\\n'; cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'; ulimit -Hc`)
    expect(stdout).toContain('PATH=')
    expect(stdout).not.toContain(SECRET)
    expect(stdout.trim().split('\n').at(-1), 'size of a core dump').toBe('0')
  })

  it('25: are not in the addresses of registries, which commands have no use for', async () => {
    const names = ['PIP_INDEX_URL', 'UV_INDEX_URL', 'GOPROXY', 'npm_config_registry', 'YARN_NPM_REGISTRY_SERVER', 'HTTPS_PROXY']
    const { shell } = await bench({
      env: () => Object.fromEntries(names.map((it) => [it, `https://me:${SECRET}@registry.invalid/simple`])),
    })
    const { stdout } = await shell(`env | grep ${SECRET}`)
    expect(stdout).toBe('')
  })

  it('26: no open file of reeve is handed on', async () => {
    closeInherited() // as reeve does when it starts
    const { shell } = await bench()
    const { stdout } = await shell('ls -l /proc/self/fd /proc/[0-9]*/fd')
    const open = [...stdout.matchAll(/ (\d+) -> (.+)$/gm)].filter(([, fd]) => Number(fd) > 2).map(([, , file]) => file ?? '')
    // What bubblewrap's own first process waits on, and the folder that is being listed.
    expect(open.filter((it) => !/^anon_inode:|^\/proc\//.test(it))).toEqual([])
    expect(open).not.toEqual([])
  })
})

describe('the kernel', () => {
  it('27: gives a command no further user namespace and no mount', async () => {
    const { shell } = await bench()
    const { stdout } = await shell(`
      unshare -U true && echo namespace; unshare -Ur true && echo mapped; unshare -Urm mount -t tmpfs t /mnt && echo mount
      bwrap --ro-bind / / true && echo nested; mount -t tmpfs t /tmp && echo mount; umount /tmp && echo umount; true`)
    expect(stdout).toBe('')
  })

  it('27: gives a command no privilege by a setuid program', async () => {
    const { shell } = await bench()
    const { stdout } = await shell('grep -E "^(NoNewPrivs|Cap(Inh|Prm|Eff|Bnd|Amb))" /proc/self/status; su -c true && echo became; true')
    expect(
      Object.fromEntries(
        stdout
          .trim()
          .split('\n')
          .map((it) => it.split(':\t')),
      ),
    ).toEqual({
      ...Object.fromEntries(['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((it) => [it, '0'.repeat(16)])),
      NoNewPrivs: '1',
    })
  })

  it('27: lets a command change no setting of the kernel, even where reeve is run by root', async () => {
    const { shell } = await bench()
    const { stdout } = await shell(
      'find /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus -type f -writable -print 2>/dev/null; ls /sys 2>/dev/null; ls -d /proc/sys',
    )
    expect(stdout.split('\n').slice(-7)).toEqual(['/proc/sys', ''])
  })

  // Arguments are such that the kernel itself would answer otherwise than the filter does.
  itPython('27: refuses a command system calls that tests and builds do not need', async () => {
    const { python } = await bench()
    const { stdout } = await python(`${CALLS}
import platform
numbers = dict(bpf=(321, 280), keyctl=(250, 219), add_key=(248, 217), userfaultfd=(323, 282), perf_event_open=(298, 241), mount=(165, 40),
  setns=(308, 268), open_by_handle_at=(304, 265), fsopen=(430, 430), unshare=(272, 97), io_uring_setup=(425, 425), clone3=(435, 435))
def number(name): return numbers[name][0 if platform.machine() == 'x86_64' else 1]
call('bpf', number('bpf'), 9999, 0, 0)
call('keyctl', number('keyctl'), 0, -3, 1)
call('add_key', number('add_key'), b'user', b'reeve', b'x', 1, -3)
call('userfaultfd', number('userfaultfd'), 1)
call('perf_event_open', number('perf_event_open'), 0, 0, -1, -1, -1)
call('mount', number('mount'), b'', b'/nonexistent', b'tmpfs', 0, 0)
call('setns', number('setns'), -1, 0)
call('open_by_handle_at', number('open_by_handle_at'), -1, 0, 0)
call('fsopen', number('fsopen'), b'nosuchfs', 0xffff)
call('unshare', number('unshare'), 0x00000400)
call('io_uring_setup', number('io_uring_setup'), 1, 0)
call('clone3', number('clone3'), 0, 0)
call('clone', 56 if platform.machine() == 'x86_64' else 220, 0x10000000, 0, 0, 0, 0)
`)
    const answers = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((it) => it.split(' ')),
    )
    const refused = [
      'bpf',
      'keyctl',
      'add_key',
      'userfaultfd',
      'perf_event_open',
      'mount',
      'setns',
      'open_by_handle_at',
      'fsopen',
      'unshare',
      'clone',
    ]
    expect(answers).toEqual({
      ...Object.fromEntries(refused.map((it) => [it, String(EPERM)])),
      io_uring_setup: String(ENOSYS),
      clone3: String(ENOSYS),
    })
  })

  // Their numbers mean other calls, which the filter would take for harmless ones.
  const itX64 = process.arch === 'x64' ? itPython : itPython.skip
  itX64('27: ends a command that calls it the way of another architecture', async () => {
    const { shell } = await bench()
    const { stdout } = await shell(`
      python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(0x40000000 + 39))'; echo x32 $?
      python3 -c '
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())'; echo i386 $?`)
    const SIGSYS = 31
    expect(stdout).toBe(`x32 ${128 + SIGSYS}\ni386 ${128 + SIGSYS}\n`)
  })

  itPython('27: does not let a command type into the terminal that started reeve', async () => {
    const { python } = await bench()
    const { stdout } = await python(`${CALLS}
import fcntl
for name, request in dict(TIOCSTI=0x5412, TIOCLINUX=0x541c).items():
    try: fcntl.ioctl(0, request, b'#'); print(name, 0)
    except OSError as e: print(name, e.errno)
try: os.open('/dev/tty', os.O_RDWR); print('tty', 0)
except OSError as e: print('tty', e.errno)
`)
    const ENXIO = 6
    expect(stdout).toBe(`TIOCSTI ${EPERM}\nTIOCLINUX ${EPERM}\ntty ${ENXIO}\n`)
  })
})
