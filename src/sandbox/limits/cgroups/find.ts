import { ownGroups } from './mounts.ts'
import { groupNames } from './names.ts'
import type { CgroupHome } from './port.ts'
import { version1 } from './version1.ts'
import { version2 } from './version2.ts'

/**
 * Where this process may make control groups, tried by making one; null where it may not. Also removes the groups that reeves left that were
 * killed. Version 2 where it hands memory and processes on, else version 1, which only root may use. Ask once per process.
 */
export async function findCgroups(): Promise<CgroupHome | null> {
  if (process.platform !== 'linux') return null
  const [own, name] = await Promise.all([ownGroups(), groupNames()])
  return (await version2(own, name)) ?? (await version1(own, name))
}
