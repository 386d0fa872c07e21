import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Where this process stands in each hierarchy of control groups, as folders: controller -> folder; version 2 under ''. */
export async function ownGroups(proc = '/proc/self'): Promise<Map<string, string>> {
  const [groups, mounts] = await Promise.all([`${proc}/cgroup`, `${proc}/mountinfo`].map((it) => readFile(it, 'latin1').catch(() => '')))
  return groupFolders(groups ?? '', mounts ?? '')
}

/** See cgroups(7) and proc(5). A hierarchy that is not mounted, or whose mount does not show our group, is not there. */
export function groupFolders(groups: string, mountinfo: string): Map<string, string> {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ')
    const [, , , root, at] = left.split(' ')
    const [type, , options = ''] = right.split(' ')
    if (root === undefined || at === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return []
    return [{ root, at: at.replaceAll('\\040', ' '), controllers: type === 'cgroup2' ? [''] : options.split(',') }]
  })
  const found = new Map<string, string>()
  for (const line of groups.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (names === undefined || path === undefined) continue
    for (const controller of names.split(',')) {
      const mount = mounts.find((it) => it.controllers.includes(controller))
      if (mount === undefined) continue
      const below = relative(mount.root, path)
      if (!below.startsWith('..')) found.set(controller, join(mount.at, below))
    }
  }
  return found
}
