import { parseJson } from '../../core/json.ts'
import type { Io } from '../io.ts'
import { oneLine } from '../text.ts'

/** A line of the daemon's log for people; one that is none of its own stays as it is. */
export function logLine(io: Pick<Io, 'paint'>, line: string): string {
  const it = read(line)
  if (it === null) return oneLine(line)
  const { time, level, message, ...fields } = it
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const said = level === 'error' ? io.paint('red', oneLine(String(message))) : oneLine(String(message))
  return `${io.paint('dim', String(time))} ${String(level).padEnd(5)} ${said}${rest.length === 0 ? '' : ` ${io.paint('dim', oneLine(rest.join(' ')))}`}`
}

function read(line: string): Record<string, unknown> | null {
  try {
    const it = parseJson(line, 'the log')
    return typeof it === 'object' && it !== null && !Array.isArray(it) && 'message' in it ? it : null
  } catch {
    return null
  }
}
