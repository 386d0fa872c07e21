import { visible } from '../../core/hostile-text.ts'
import { type Redact, redactAll } from '../../core/redact.ts'

// Of one text of a report; a message may hold the output of a program.
const LONGEST = 2000

/** What makes a text fit to be sent to others: no secrets, no home folder, no name of the user, no control characters, not too long. */
export function forOthers(redact: Redact, { home, user }: { home: string; user: string }): <T>(value: T) => T {
  const names: [RegExp, string][] = []
  if (home.length > 1) names.push([new RegExp(`${escaped(home)}(?![A-Za-z0-9_-])`, 'g'), '~'])
  // Shorter ones stand in words that say something else.
  if (user.length > 3 && user !== 'root') names.push([new RegExp(`(?<![A-Za-z0-9])${escaped(user)}(?![A-Za-z0-9])`, 'g'), '<user>'])
  const clean: Redact = (text) => {
    const known = redact(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text)
    return visible(names.reduce((it, [pattern, word]) => it.replaceAll(pattern, word), known))
  }
  return (value) => redactAll(value, clean)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}
