/** What the router keeps outside its process: `Store.routing` satisfies it. All times are lengths in ms; the clock is the other side's. */
export interface Shared {
  /** Lets a request go to an account, or says which rule keeps it back. Counts and decides in one. */
  admit(key: string, request: { holder: string; tokens: number; ttlMs: number }, rules: Rules): Promise<true | Held>
  /** A sign of life of a request at work. False: it had been counted as dead. */
  renewAdmission(key: string, holder: string, ttlMs: number): Promise<boolean>
  /** `tokens`: what it has used; null: nobody said. */
  endAdmission(key: string, holder: string, tokens: number | null): Promise<void>
  /** Nothing goes to the account for so long, whoever asks. */
  closeAccount(key: string, ms: number): Promise<void>
  openAccount(key: string): Promise<void>
  /** Of those keys that anything is known about. */
  breakers(keys: readonly string[]): Promise<Known[]>
  breakerFailed(key: string, failure: Failure): Promise<Known>
  /** True when anything was known. */
  breakerClosed(key: string): Promise<boolean>
  /** One holder may try a provider whose time is over. */
  takeProbe(key: string, holder: string, ttlMs: number): Promise<boolean>
  freeProbe(key: string, holder: string): Promise<void>
}

/** null is without limit. A window is any stretch of time of its length. */
export interface Rules {
  concurrent: number | null
  windows: readonly { ms: number; requests: number | null; tokens: number | null }[]
}

export interface Held {
  retryInMs: number
  why: 'closed' | 'concurrent' | 'requests' | 'tokens'
}

/** A provider that has failed lately. */
export interface Known {
  key: string
  /** In a row. */
  failures: number
  /** Left alone for so long still, 0 or less: its time is over. Null: it is not left alone. */
  openFor: number | null
  /** May be asked after so long by who has nobody else; null: it did not say. */
  retryIn: number | null
  class: string
  problem: string
  /** Somebody tries it for so long still. */
  triedFor: number
}

export interface Failure {
  class: string
  problem: string
  /** null: only after `threshold` failures in a row, for `recoveryMs`. */
  openMs: number | null
  retryMs: number | null
  threshold: number
  recoveryMs: number
}
