import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '../core/json.ts'
import { readPrivate, writePrivate } from './private-files.ts'

/** Raised when a client of the version before could not talk to this daemon any more. */
export const API = 1

/** Where the daemon of a data folder is: what its clients read. */
export interface Place {
  pid: number
  /** When the process began, in the system's own words, so that it is not confused with a later one of the same number. */
  process: string
  version: string
  api: number
  socket: string
  /** Address of the HTTP server. */
  url: string
  token: string
  /** Epoch ms. */
  startedAt: number
  /** `serve`: a person or a service manager, who also ends it. `command`: a command that needed one. */
  startedBy: 'serve' | 'command'
  log: string
}

export function placeFile(folder: string): string {
  return join(folder, 'daemon.json')
}

/** The daemon's log; beside it the older ones. */
export function daemonLog(folder: string): string {
  return join(folder, 'logs', 'daemon.log')
}

/** The file as it is; its daemon may be dead. Null: there is none, or none that can be read as one. */
export async function readPlace(folder: string): Promise<Place | null> {
  const text = await readPrivate(placeFile(folder))
  if (text === null) return null
  try {
    const place = parseJson(text, placeFile(folder)) as unknown as Place | null
    return typeof place?.socket === 'string' && typeof place.token === 'string' ? place : null
  } catch {
    return null // of another version, or cut short by a full disk: the next daemon writes it anew
  }
}

/** Called by the holder of the lock only. */
export function writePlace(folder: string, place: Place): Promise<void> {
  return writePrivate(placeFile(folder), `${JSON.stringify(place, null, 2)}\n`)
}

/** Called by the holder of the lock only. */
export function removePlace(folder: string): Promise<void> {
  return rm(placeFile(folder), { force: true })
}
