import { FRAMEWORKS, type Framework } from './framework-table.ts'
import type { Manifest } from './manifests/read.ts'

export interface Named {
  name: string
  /** File and key that say so. */
  reason: string
}

/** The frameworks a project is built on, by its manifests and by the files they need, each with the first place that says so. */
export function frameworksOf(manifests: readonly Manifest[], files: readonly string[]): Named[] {
  return namedBy(FRAMEWORKS, manifests, files)
}

/** Which of a table's entries manifests and files name. In the order of the table. */
export function namedBy(table: readonly Framework[], manifests: readonly Manifest[], files: readonly string[]): Named[] {
  return table.flatMap((it) => {
    const places = placesOf(it, manifests)
    const [first] = places
    if (first !== undefined) return [{ name: it.name, reason: places.length === 1 ? first : `${first}, and ${places.length - 1} more` }]
    const file = it.file && files.find((path) => it.file?.test(path))
    return file === undefined ? [] : [{ name: it.name, reason: `${file} exists` }]
  })
}

function placesOf({ ecosystem, dependencies }: Framework, manifests: readonly Manifest[]): string[] {
  const fits = dependencies instanceof RegExp ? (name: string) => dependencies.test(name) : (name: string) => dependencies.includes(name)
  return manifests
    .filter((it) => it.ecosystem === ecosystem)
    .flatMap((manifest) => {
      const found = manifest.dependencies.find((it) => fits(it.name))
      if (!found) return []
      return [`${manifest.path}: ${found.name} ${found.key.startsWith('line ') ? 'at' : 'in'} ${found.key}`]
    })
}
