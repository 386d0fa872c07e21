import type { LoggedRequest } from '../../src/models/scripted-server/server.ts'

type Times = Pick<LoggedRequest, 'startedAt' | 'endedAt'>

/** Requests that were at the server at the same time, at most. */
export function mostAtOnce(log: readonly Times[]): number {
  const at = (time: number) => log.filter((it) => it.startedAt <= time && (it.endedAt ?? Number.POSITIVE_INFINITY) > time).length
  return Math.max(0, ...log.map((it) => at(it.startedAt)))
}

/** Requests that came within any stretch of so many ms, at most. */
export function mostWithin(log: readonly Times[], ms: number): number {
  const from = (time: number) => log.filter((it) => it.startedAt >= time && it.startedAt < time + ms).length
  return Math.max(0, ...log.map((it) => from(it.startedAt)))
}
