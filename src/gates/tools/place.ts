import { isAbsolute, posix } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** Characters of a message that are kept: what a person or a model still reads. */
const LONGEST_MESSAGE = 8000

export interface Places {
  place: (path: string) => string | null
  clean: (text: string) => string
}

/**
 * Names of this checkout made the same for every checkout: no absolute path of it survives, so a failure on the base and one with the change
 * have the same text. `roots` are all spellings of its root (as given, and its real path); `cwd` is from the root.
 */
export function places(roots: readonly string[], cwd: string, reportFolders: readonly string[]): Places {
  const longest = [...new Set(roots)].map((it) => it.replace(/\/+$/, '')).toSorted((a, b) => b.length - a.length)
  const reports = [...new Set(reportFolders)].toSorted((a, b) => b.length - a.length)
  return {
    place(path) {
      const plain = path.replace(/^file:\/\//, '').replaceAll('\\', '/')
      if (plain === '' || plain.includes('\0')) return null
      if (isAbsolute(plain)) {
        const normal = posix.normalize(plain)
        const root = longest.find((it) => normal.startsWith(`${it}/`))
        return root === undefined ? null : normal.slice(root.length + 1)
      }
      const joined = posix.normalize(posix.join(cwd, plain))
      return joined === '.' || joined === '..' || joined.startsWith('../') ? null : joined
    },
    clean(text) {
      let cleaned = stripVTControlCharacters(text.length > 4 * LONGEST_MESSAGE ? text.slice(0, 4 * LONGEST_MESSAGE) : text).replaceAll(
        '\r\n',
        '\n',
      )
      for (const root of longest) cleaned = cleaned.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '').replaceAll(root, '.')
      for (const folder of reports) cleaned = cleaned.replaceAll(folder, '{report}')
      cleaned = cleaned.trim()
      return cleaned.length > LONGEST_MESSAGE
        ? `${cleaned.slice(0, LONGEST_MESSAGE)}\n[... ${cleaned.length - LONGEST_MESSAGE} characters left out]`
        : cleaned
    },
  }
}
