import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import { findEngine } from './engine.ts'
import { findImage } from './image.ts'

/** A folder with an engine in it that answers `info` and `image inspect` with these texts; one that is undefined fails. */
function fake(kind: 'podman' | 'docker', answers: { info?: unknown; image?: unknown }) {
  const folder = temporaryFolder()
  const answer = (value: unknown) =>
    value === undefined ? 'echo "Error: no route to the daemon" >&2; exit 1' : `cat <<'END'\n${JSON.stringify(value)}\nEND`
  writeFiles(folder, {
    [kind]: `#!/bin/sh\ncase "$1" in\ninfo)\n${answer(answers.info)}\n;;\nimage)\n${answer(answers.image)}\n;;\nesac\n`,
  })
  chmodSync(join(folder, kind), 0o755)
  return findEngine(kind, { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, SECRET_TOKEN: 'x' })
}

const podman = (rootless: boolean, cgroupVersion: string, cgroupControllers: string[] | null) => ({
  host: { cgroupVersion, cgroupControllers, security: { rootless, selinuxEnabled: false } },
  version: { Version: '5.2.1' },
})

describe('a container engine', () => {
  it('that is podman without root holds what was delegated to the user', async () => {
    expect(await fake('podman', { info: podman(true, 'v2', ['memory', 'pids']) })).toMatchObject({
      version: '5.2.1',
      rootless: true,
      limits: { memory: true, swap: true, processes: true, cpu: false },
    })
  })

  it('that is podman without root holds nothing on control groups of version 1, whatever it lists', async () => {
    const engine = await fake('podman', { info: podman(true, 'v1', ['memory', 'pids', 'cpu']) })
    expect(engine).toMatchObject({ limits: { memory: false, swap: false, processes: false, cpu: false } })
  })

  it('that is docker says by its security options whether it runs as root', async () => {
    const info = { ServerVersion: '28.2.2', MemoryLimit: true, SwapLimit: false, PidsLimit: true, CPUShares: true, CpuCfsQuota: true }
    const rootful = await fake('docker', { info: { ...info, SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'] } })
    expect(rootful).toMatchObject({ version: '28.2.2', rootless: false, limits: { memory: true, swap: false, processes: true, cpu: true } })
    const rootless = await fake('docker', { info: { ...info, SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless'] } })
    expect(rootless).toMatchObject({ rootless: true })
  })

  it('that is a client without its daemon is none', async () => {
    expect(await fake('docker', {})).toBe('docker does not answer: no route to the daemon.')
    // So it answers when the daemon is not there: with its own half, and exit code 0 in some versions.
    expect(await fake('docker', { info: { ServerVersion: '', ServerErrors: ['Cannot connect'] } })).toMatch(
      /^docker does not describe itself as expected/,
    )
  })

  it('that is not there is not looked for anywhere else', async () => {
    expect(await findEngine('podman', { PATH: temporaryFolder() })).toBe('podman is not installed.')
  })

  it('gets what it needs of the environment and no more', async () => {
    const engine = await fake('podman', { info: podman(true, 'v2', null) })
    if (typeof engine === 'string') throw new Error(engine)
    expect(Object.keys(engine.env).toSorted()).toEqual(['HOME', 'LC_ALL', 'PATH'])
  })

  it('tells the number of an image, its search path and the folders it wants on disk', async () => {
    const image = [{ Id: `sha256:${'ab'.repeat(32)}`, Config: { Env: ['PATH=/opt/bin:/bin', 'A=b'], Volumes: { '/data': {} } } }]
    const engine = await fake('podman', { info: podman(true, 'v2', []), image })
    if (typeof engine === 'string') throw new Error(engine)
    expect(await findImage(engine, 'x:1')).toEqual({
      name: 'x:1',
      id: `sha256:${'ab'.repeat(32)}`,
      path: '/opt/bin:/bin',
      volumes: ['/data'],
    })
  })

  it('that has no such image says so', async () => {
    const engine = await fake('podman', { info: podman(true, 'v2', []) })
    if (typeof engine === 'string') throw new Error(engine)
    expect(await findImage(engine, 'x:1')).toBeNull()
  })
})
