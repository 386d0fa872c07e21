import { describe, expect, it } from 'vitest'
import { settingsSchema } from '../../core/settings.ts'
import { limitsFrom } from '../limits/limits.ts'
import { type ContainerView, containerArguments, mountWord } from './arguments.ts'
import type { Engine } from './engine.ts'
import { envText } from './launch.ts'

const ALL = { memory: true, processes: true, cpu: true, swap: true }
const NONE = { memory: false, processes: false, cpu: false, swap: false }
const engine = (more: Partial<Engine>): Engine => ({
  kind: 'podman',
  path: '/usr/bin/podman',
  version: '5.0.0',
  rootless: true,
  limits: ALL,
  selinux: false,
  filter: null,
  env: {},
  ...more,
})
const view: ContainerView = {
  name: 'reeve-1-ab',
  labels: { 'reeve.run': 'r1' },
  image: { id: 'sha256:0123456789ab', volumes: ['/data'] },
  user: { uid: 1000, gid: 100 },
  mounts: [
    { from: '/w/tree', at: '/w/tree', written: true },
    { from: '/w/git', at: '/w/git', written: false },
  ],
  cwd: '/w/tree/sub',
  limits: limitsFrom(settingsSchema.parse({}).sandbox.limits, 'run'),
  filter: null,
}

describe('the words for a container engine', () => {
  it('take everything away that a program need not have', () => {
    const words = containerArguments(engine({}), view)
    const needed = [
      '--rm',
      '--pull=never',
      '--network=none',
      '--cap-drop=ALL',
      '--security-opt=no-new-privileges',
      '--read-only',
      '--log-driver=none',
    ]
    expect(words).toEqual(expect.arrayContaining(needed))
    expect(words.join(' ')).not.toMatch(/privileged(?!$)|docker\.sock|--env|--publish|--device|=host/)
  })

  it('show the named folders at the same paths and nothing else, and end with the image', () => {
    const words = containerArguments(engine({}), view)
    expect(words.filter((it) => it.startsWith('--mount='))).toEqual([
      '--mount=type=bind,src=/w/tree,dst=/w/tree',
      '--mount=type=bind,src=/w/git,dst=/w/git,ro=true',
    ])
    expect(words.slice(-2)).toEqual(['--workdir=/w/tree/sub', 'sha256:0123456789ab'])
  })

  it('give every place a size that can be written and is not a folder of the run', () => {
    const words = containerArguments(engine({}), view).filter((it) => it.startsWith('--tmpfs=') || it.startsWith('--shm-size='))
    expect(words.map((it) => it.split(':')[0])).toEqual([
      '--tmpfs=/tmp',
      '--tmpfs=/var/tmp',
      '--tmpfs=/data',
      '--tmpfs=/run',
      '--shm-size=268435456b',
    ])
    for (const word of words.slice(0, 4)) expect(word).toMatch(/size=\d{7,}/)
  })

  it.each([
    ['podman without root', engine({}), ['--userns=keep-id', '--user=1000:100']],
    ['podman with root', engine({ rootless: false }), ['--user=1000:100']],
    ['docker without root, whose root is the user', engine({ kind: 'docker' }), ['--user=0:0']],
    ['docker with root', engine({ kind: 'docker', rootless: false }), ['--user=1000:100']],
  ])('make files the user owns: %s', (_, by, expected) => {
    expect(containerArguments(by, view).filter((it) => it.startsWith('--user'))).toEqual(expected)
  })

  it('ask only for limits that the engine can hold, since it would write a warning for the others', () => {
    const limits = (by: Engine) => containerArguments(by, view).filter((it) => /^--(?:memory|pids|cpu)/.test(it))
    expect(limits(engine({}))).toEqual(['--memory=4294967296b', '--memory-swap=4294967296b', '--pids-limit=512', '--cpu-shares=256'])
    expect(limits(engine({ limits: NONE }))).toEqual([])
    const half = { ...view, limits: { ...view.limits, cpuPercent: 50 } }
    expect(containerArguments(engine({}), half)).toContain('--cpus=0.5')
  })

  it('leave the number of processes to the control group of docker, which counts all of the user on the machine otherwise', () => {
    expect(containerArguments(engine({ kind: 'docker' }), view).filter((it) => it.includes('nproc'))).toEqual([])
    expect(containerArguments(engine({}), view)).toContain('--ulimit=nproc=512:512')
  })

  it('let a container read folders of the user where SELinux is on, and only there', () => {
    expect(containerArguments(engine({ selinux: true }), view)).toContain('--security-opt=label=disable')
    expect(containerArguments(engine({}), view)).not.toContain('--security-opt=label=disable')
  })

  it.each([
    ['/a/b', 'type=bind,src=/a/b,dst=/a/b'],
    ['/a:b/c d', 'type=bind,src=/a:b/c d,dst=/a:b/c d'],
    ['/a,ro=false', 'type=bind,"src=/a,ro=false","dst=/a,ro=false"'],
    ['/a"b', 'type=bind,"src=/a""b","dst=/a""b"'],
  ])('name a folder so that its name says nothing else: %s', (path, expected) => {
    expect(mountWord({ from: path, at: path, written: true })).toBe(expected)
  })

  it('refuse a folder whose name breaks the line', () => {
    expect(() => mountWord({ from: '/a\nb', at: '/a', written: true })).toThrow(
      String.raw`a line break in the path "/a\nb" cannot be mounted`,
    )
  })
})

describe('the environment of a program in a container', () => {
  it('is read by a shell as it is, whatever is in it', () => {
    expect(envText({ A: "it's $HOME", B: 'two\nlines' })).toBe(String.raw`export A='it'\''s $HOME'` + "\nexport B='two\nlines'\n")
  })

  it('has no names that a shell would run as a command', () => {
    expect(() => envText({ 'A;touch x': '1' })).toThrow('a container cannot be given the variable "A;touch x"')
  })
})
