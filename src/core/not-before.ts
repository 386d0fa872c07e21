const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?) ?(Z|[+-]\d\d:\d\d)?)?$/

/**
 * Epoch ms of a time such as `2026-11-21T02:00`, with seconds or without; a day alone begins at midnight. `Z` or an offset names the zone,
 * else it is that of the machine. Null: it is no such time.
 */
export function timeOf(text: string): number | null {
  const [, day, time = '00:00', zone = ''] = TIME.exec(text.trim()) ?? []
  if (day === undefined) return null
  const midnight = new Date(`${day}T00:00:00Z`)
  // A day that does not exist would silently become another one.
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return null
  const at = new Date(`${day}T${time}${zone}`).getTime()
  return Number.isNaN(at) ? null : at
}

/** As a person says it in an error. */
export const TIME_FORM = 'a time such as 2026-11-21T02:00, with Z or an offset for another zone than that of the machine'
