import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

/** The absolute path of a program on a search path, or null. Relative entries of the path are not searched. */
export async function which(program: string, path: string): Promise<string | null> {
  if (program === '') return null
  if (program.includes('/')) return isAbsolute(program) && (await isExecutable(program)) ? program : null
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue
    const file = join(folder, program)
    if (await isExecutable(file)) return file
  }
  return null
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}
