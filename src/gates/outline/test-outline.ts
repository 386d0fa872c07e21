/** One test as it stands in a file, found without running or parsing it fully. */
export interface TestOutline {
  /** Titles or names from the outside in, joined by " > ". */
  name: string
  /** The last part of the name, as it is written; may hold placeholders such as `%s`. */
  title: string
  line: number
  endLine: number
  /** The whole test as it is written, with what marks it. */
  text: string
  /** Switched off: by itself or by what is around it. */
  skipped: boolean
  /** Runs alone and so hides the others. */
  only: boolean
  /** Each assertion as it is written. */
  assertions: string[]
}
