import { readFile } from 'node:fs/promises'
import { SWITCHES } from '../improve.ts'

type Read = (path: string) => Promise<string>

const readIfThere: Read = (path) => readFile(path, 'utf8').catch(() => '')

// What bubblewrap says when a namespace is refused: it comes up to half way before the refusal.
const REFUSED = /namespace|uid map|gid map|RTM_NEWADDR|not permitted|permission denied|no space left/i

/** Why a sandbox that said this did probably not come up: half a sentence, null when nothing is known. */
export async function likelyCause(said: string, read: Read = readIfThere): Promise<string | null> {
  if (!REFUSED.test(said)) return null
  // Some paths of a container's /proc are covered, and the kernel shows no namespace more than that.
  if (/mount.*proc/i.test(said)) return 'this is a container that may not mount /proc, so it is itself the sandbox'
  for (const { file, off, cause } of SWITCHES) if ((await read(file)).trim() === off) return cause
  const inside = (await read('/proc/1/environ')).includes('container=') || (await read('/run/.containerenv')) !== ''
  return inside ? 'this is a container that may not make namespaces, so it is itself the sandbox' : null
}
