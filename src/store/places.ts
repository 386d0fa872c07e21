/** Names of files in the state folder that more than one room knows. */

/** Held by the daemon of the data folder; opened by SQLite alone, see `lock-file.ts`. */
export const DAEMON_LOCK = 'daemon.lock.db'
