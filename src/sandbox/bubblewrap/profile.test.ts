import { describe, expect, it } from 'vitest'
import { bwrapArguments, FD, type View } from './profile.ts'

const VIEW: View = {
  readable: ['/usr', '/repo/.git/objects', '/runs/r1/git'],
  kernel: ['/proc/sys'],
  masked: ['/proc/kcore', '/usr/etc/npmrc'],
  shown: new Map([['/etc/passwd', '/reeve/etc/passwd']]),
  links: new Map([['/bin', 'usr/bin']]),
  writable: ['/runs/r1/tree', '/runs/r1/home'],
  guarded: new Map([['/runs/r1/tree/.git', '/runs/r1/git.link']]),
  emptied: [],
  cwd: '/runs/r1/tree/lib',
  limits: { tmpBytes: 2000, sharedMemoryBytes: 3000 },
}

/** The arguments, one text for each option with its values. */
function options(view: Partial<View> = {}): string[] {
  const words = bwrapArguments({ ...VIEW, ...view })
  const starts = words.flatMap((it, at) => (it.startsWith('--') ? [at] : []))
  return starts.map((at, index) => words.slice(at, starts[index + 1]).join(' '))
}

describe('the arguments of bwrap', () => {
  it('make namespaces of every kind, end with reeve, and leave no way to more', () => {
    const needed = [
      ...['user', 'pid', 'ipc', 'uts', 'net'].map((it) => `--unshare-${it}`),
      '--unshare-cgroup-try',
      '--disable-userns',
      '--die-with-parent',
      '--new-session',
      '--cap-drop ALL',
      `--seccomp ${FD.seccomp}`,
    ]
    expect(options()).toEqual(expect.arrayContaining(needed))
  })

  it('show nothing that the view does not name', () => {
    const binds = options().filter((it) => it.startsWith('--bind') || it.startsWith('--ro-bind'))
    expect(binds).toEqual([
      '--ro-bind /proc/sys /proc/sys',
      '--ro-bind /usr /usr',
      '--ro-bind /repo/.git/objects /repo/.git/objects',
      '--ro-bind /runs/r1/git /runs/r1/git',
      '--ro-bind /dev/null /proc/kcore',
      '--ro-bind /dev/null /usr/etc/npmrc',
      '--ro-bind /reeve/etc/passwd /etc/passwd',
      '--bind /runs/r1/tree /runs/r1/tree',
      '--bind /runs/r1/home /runs/r1/home',
      '--ro-bind /runs/r1/git.link /runs/r1/tree/.git',
    ])
  })

  it('let programs write the folders of the run and nothing else of the disk', () => {
    expect(options().filter((it) => it.startsWith('--bind'))).toEqual([
      '--bind /runs/r1/tree /runs/r1/tree',
      '--bind /runs/r1/home /runs/r1/home',
    ])
  })

  it('mount what is read, then what covers parts of it, then what is written, then what is guarded within, and freeze the root last', () => {
    const order = [
      '--proc /proc',
      '--ro-bind /proc/sys /proc/sys',
      '--ro-bind /usr /usr',
      '--ro-bind /dev/null /usr/etc/npmrc',
      '--bind /runs/r1/tree /runs/r1/tree',
      '--ro-bind /runs/r1/git.link /runs/r1/tree/.git',
      '--remount-ro /',
    ]
    const all = options()
    expect(order.map((it) => all.indexOf(it))).toEqual(order.map((it) => all.indexOf(it)).toSorted((a, b) => a - b))
    expect(order.filter((it) => !all.includes(it))).toEqual([])
    expect(all.at(-1)).toBe('--chdir /runs/r1/tree/lib')
    expect(all.at(-2)).toBe('--remount-ro /')
  })

  it('cap what is in memory, each folder by its own limit', () => {
    const all = bwrapArguments(VIEW).join(' ')
    expect(all).toContain('--size 3000 --tmpfs /dev/shm')
    expect(all).toContain('--size 2000 --perms 1777 --tmpfs /tmp')
  })

  it('mount a folder once, not again what lies in it', () => {
    const binds = options({ readable: ['/usr', '/usr/lib/node', '/usrlocal', '/usr'] }).filter((it) => it.startsWith('--ro-bind /usr'))
    expect(binds).toEqual(['--ro-bind /usr /usr', '--ro-bind /usrlocal /usrlocal'])
  })

  it('empty folders of the tree, which stay so', () => {
    const all = bwrapArguments({ ...VIEW, emptied: ['/runs/r1/tree/.tool'] }).join(' ')
    expect(all).toContain('--perms 0555 --tmpfs /runs/r1/tree/.tool --remount-ro /runs/r1/tree/.tool --remount-ro / ')
    expect(all.indexOf('--bind /runs/r1/tree')).toBeLessThan(all.indexOf('/runs/r1/tree/.tool'))
  })

  it('keep links of the system links', () => {
    expect(options()).toContain('--symlink usr/bin /bin')
  })
})
