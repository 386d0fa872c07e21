import { userInfo } from 'node:os'

/** Who runs this process. A number that the system has no name for, as in containers that are started with `--user`, is nothing special. */
export function thisUser(): { name: string; uid: number; gid: number } {
  const [uid, gid] = [process.getuid?.() ?? -1, process.getgid?.() ?? -1]
  try {
    return { name: userInfo().username, uid, gid }
  } catch {
    return { name: '', uid, gid }
  }
}
