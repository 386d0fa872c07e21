import type { ToolContext } from '../tools/tool.ts'
import { shortenFences } from './fences.ts'
import { type Shown, show, type Wish } from './shown-files.ts'

/** What the next prompt is made of. The order is that of the text: what changes least comes first, since engines keep what they have read. */
export interface Material {
  goal: string
  /** The one that matters most is the last. */
  wishes: readonly Wish[]
  /** What was done and refused so far. */
  log: readonly string[]
  /** What is wanted in this turn. */
  now: string
}

export interface Composed {
  text: string
  /** Lines of the goal's maps and patches that found no room. */
  goalLinesLeft: number
  /** Files that were wanted and found no room. */
  unseen: string[]
}

/** Of the room that is not needed for the task itself, files get at least this part before maps and patches. */
const FOR_FILES = 0.5
/** Less of a file than this tells nothing. */
const LEAST_OF_FILE = 400

/**
 * The text of the next prompt, with as much of the files and of the goal's maps and patches as fits into `room` characters; what is left out is said in
 * its place. null when the task itself does not fit.
 */
export async function compose({ goal, wishes, log, now }: Material, room: number, context: ToolContext): Promise<Composed | null> {
  const shown = await Promise.all(wishes.toReversed().map((it) => show(it, context)))
  const rest = [...(log.length === 0 ? [] : [`## What happened so far\n\n${log.map((it) => `- ${it}`).join('\n')}`]), `## Now\n\n${now}`]
  const fixed = rest.join('\n\n').length + 200
  const bare = shortenFences(goal, 0).text.length
  const free = room - fixed - bare
  if (free < 0) return null

  const wanted = shown.reduce((sum, it) => sum + ('problem' in it ? 0 : it.text.length + it.title.length + 40), 0)
  const forFiles = Math.min(wanted, Math.max(Math.floor(free * FOR_FILES), free - (goal.length - bare)))
  const task = shortenFences(goal, room - fixed - forFiles)
  const files = pack(shown, room - fixed - task.text.length)
  const parts = [task.text.trim(), ...(files.text === '' ? [] : [`## Files as they are now\n\n${files.text}`]), ...rest]
  return { text: parts.join('\n\n'), goalLinesLeft: task.left, unseen: files.unseen }
}

/** Whole files as long as they fit, then the beginning of the first that does not; the others are named. */
function pack(shown: readonly Shown[], room: number): { text: string; unseen: string[] } {
  const parts: string[] = []
  const unseen: string[] = []
  let left = room
  for (const it of shown) {
    if ('problem' in it) continue
    const whole = section(it, it.text)
    const part = whole.length <= left ? whole : beginning(it, left)
    if (part === null) unseen.push(it.title)
    else {
      parts.push(part)
      left -= part.length + 2
    }
  }
  const named = unseen.length === 0 ? [] : [`Not shown, for lack of room: ${unseen.join(', ')}. Ask for one by "read", or for lines of it.`]
  return { text: [...parts, ...named].join('\n\n'), unseen }
}

type Found = Exclude<Shown, { problem: string }>

function beginning(it: Found, room: number): string | null {
  const space = room - 120 - it.title.length
  if (space < LEAST_OF_FILE) return null
  const cut = it.text.lastIndexOf('\n', space)
  return cut < LEAST_OF_FILE / 2 ? null : section(it, it.text.slice(0, cut))
}

function section({ title, from, lines }: Found, text: string): string {
  const last = from + text.split('\n').length - 1
  const more = last < lines ? `; ask for "${title}:${last + 1}" to see more` : ''
  const which = from === 1 && last >= lines ? `${lines} lines` : `lines ${from} to ${last} of ${lines}${more}`
  const ticks = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map((it) => it[0].length + 1)))
  return `### ${title} (${which})\n${ticks}\n${text}\n${ticks}`
}
