import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../whole-file.ts'
import { seccompFilter } from './seccomp.ts'

/** Where the home of programs is for whoever asks the system instead of HOME: a link to the real folder. */
export const HOME_LINK = '/reeve-home'

export interface Generated {
  /** Path inside -> file. */
  shown: Map<string, string>
  filter: string
}

/**
 * Writes what is shown instead of the machine's own files: users (one), hosts (this one, nowhere to look up others), and the system call
 * filter. Whole files put in place by renaming: several reeve processes share them.
 */
export async function generateEtc(
  folder: string,
  arch: 'x64' | 'arm64',
  user: { name: string; uid: number; gid: number },
): Promise<Generated> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid, gid } = user
  const name = uid === 0 ? 'root' : /^[a-z_][a-z0-9_-]{0,30}$/.test(user.name) ? user.name : 'task'
  const files: Readonly<Record<string, string>> = {
    passwd: `${name}:x:${uid}:${gid}::${HOME_LINK}:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n`,
    group: `${name}:x:${gid}:\nnogroup:x:65534:\n`,
    hosts: '127.0.0.1 localhost reeve\n::1 localhost\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
  }
  const shown = new Map<string, string>()
  for (const [file, text] of Object.entries(files)) {
    await writeWhole(join(folder, file), text)
    shown.set(join('/etc', file), join(folder, file))
  }
  const filter = join(folder, 'filter.bpf')
  await writeWhole(filter, seccompFilter(arch))
  return { shown, filter }
}
