/** A command line from groups that belong together; `false`: this one is not wanted. */
export function flags(...groups: (readonly string[] | false)[]): string[] {
  return groups.flatMap((it) => it || [])
}
