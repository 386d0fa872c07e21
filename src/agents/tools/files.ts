import { checkRelative, deleteFileIn, listDirIn, readFileIn, writeFileIn } from '../../workspace/paths.ts'
import type { Files } from './tool.ts'

/** The files below a root, through the path rules of `workspace/`. */
export function filesIn(root: string): Files {
  return {
    check: normalPath,
    read: (path, maxBytes) => readFileIn(root, path, maxBytes),
    write: async (path, content) => {
      await writeFileIn(root, path, content)
    },
    delete: async (path) => {
      await deleteFileIn(root, path)
    },
    list: (path) => listDirIn(root, path),
  }
}

/** Models write `./src/a.ts` and `src//a.ts`; everything else is as the path rules say. */
function normalPath(path: string): string {
  return checkRelative(path.replace(/^(\.\/+)+(?=.)/, '').replaceAll(/\/{2,}(?=.)/g, '/'))
}
