/** What a look at the processes of one program shows. */
export interface Sample {
  /** Threads count, as they do for the kernel's own limits. */
  processes: number
  /** Shared pages count once per process: never too small. */
  rssBytes: number
  cpuSeconds: number
}

/** A private tmpfs of a sandbox; `used` and `size` in bytes. */
export interface Tmpfs {
  limit: 'temporary files' | 'shared memory'
  used: number
  size: number
  /** Files and folders in it. */
  entries: number
}

/** Looks at the processes of one program. No method throws: what has gone is not there. */
export interface Sampler {
  /** null: nothing to be seen, not yet or not any more. With more processes than `most` only their number is told. */
  look(most: number): Promise<Sample | null>
  /** As of the last look, each shared page once; `shared`: the part of it that may lie in a tmpfs. null where the system does not say. */
  exactMemory(): Promise<{ all: number; shared: number } | null>
  /** Empty where it has none. Also after its end, when it was looked at before. */
  tmpfs(): Promise<readonly Tmpfs[]>
  close(): Promise<void>
}
