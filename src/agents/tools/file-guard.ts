import type { Permissions } from '../../core/role.ts'
import type { FileSettings } from '../../core/settings.ts'
import { fitsGlob, matcherOf } from './glob.ts'

const MIB = 1024 * 1024

/** What `[files]` and the role allow with files, for one step of one agent: it counts what is written. Refusals are sentences for the model. */
export interface FileGuard {
  /** Of one file, read or written. */
  readonly maxBytes: number
  /** Globs of what may be neither read nor written. */
  readonly forbidden: readonly string[]
  /** Why nothing at all may be done with a file; null when something may. */
  refusal(path: string): string | null
  /** Why these files may not be written or deleted, all of them; null when they may. */
  writeRefusal(paths: readonly string[]): string | null
  wrote(path: string): void
}

/** The guard of one step: make a new one for the next, which may write as many files again. */
export function guardFiles(settings: FileSettings, permissions: Permissions): FileGuard {
  const forbidden = [...settings.forbidden, ...permissions.forbidden]
  const ruleFor = forbiddenBy(forbidden)
  const written = new Set<string>()
  const refusal = (path: string): string | null => {
    const rule = ruleFor(path)
    if (rule === null) return null
    return `"${path}" may be neither read nor written in this run (forbidden: ${rule}). Do without it, and say in your answer what you would have needed.`
  }
  return {
    maxBytes: Math.floor(settings.max_size_mb * MIB),
    forbidden,
    refusal,
    writeRefusal: (paths) => {
      for (const path of paths) {
        const problem = refusal(path) ?? extensionRefusal(path, settings.extensions)
        if (problem !== null) return problem
      }
      const all = new Set([...written, ...paths])
      if (all.size <= settings.max_files) return null
      return `One step may write or delete ${settings.max_files} files (files.max_files), ${written.size} are written. Finish with what is done, and say what is left.`
    },
    wrote: (path) => {
      written.add(path)
    },
  }
}

/** Which of these globs makes a file one that nobody may read or write, null when none does. */
export function forbiddenBy(globs: readonly string[]): (path: string) => string | null {
  const any = matcherOf(...globs.map(folded))
  return (path) => {
    const wanted = folded(path)
    return any(wanted) ? (globs.find((it) => fitsGlob(wanted, folded(it))) ?? null) : null
  }
}

/** Some file systems take `.ENV` for `.env`, and two ways to write an accent for one. */
function folded(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

function extensionRefusal(path: string, extensions: readonly string[]): string | null {
  if (extensions.length === 0) return null
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const fits = extensions.map((it) => it.toLowerCase()).some((it) => name === it || name.endsWith(it.startsWith('.') ? it : `.${it}`))
  return fits ? null : `"${path}" may not be written: in this project agents write only ${extensions.join(', ')} (files.extensions).`
}
