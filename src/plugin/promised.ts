/** One thing that is promised, as a test for any runner. `run` throws when it does not hold. */
export interface Promised {
  name: string
  run: () => Promise<void>
}
