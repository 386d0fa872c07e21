import { homedir, userInfo } from 'node:os'
import { problemOf } from '../../core/errors.ts'
import { rootAround } from '../checkouts.ts'
import { type Context, settingsOf } from '../context.ts'
import type { Check } from '../doctor-check.ts'
import { forOthers } from './private-words.ts'
import { daemonSection, logSection, machineSection, runsSection, settingsSection, storeSection } from './sections.ts'

const HEAD = `What is in it: versions and the machine; the table of \`reeve doctor\`; settings that are not the default; where the daemon is and the last
lines of its log; how large and how sound the store is; the last failed runs with their reasons and the names of their last events.

What is not in it: source text, diffs, tasks, prompts, answers of models, output of programs, values of environment variables, headers, tokens.
Secrets that reeve knows, and what looks like one, are replaced by \`[redacted]\`; your home folder by \`~\`. Read it before you send it.`

/** A report for those who are asked for help, as Markdown. Each part that cannot be made says why; the others are there all the same. */
export async function makeReport(context: Context, checks: () => Promise<readonly Check[]>): Promise<string> {
  const clean = forOthers(context.secrets.redact, { home: context.env['HOME'] ?? homedir(), user: nameOf() })
  const root = await rootAround(context.cwd ?? context.folders.state).catch(() => null)
  // First: what they hold that is secret is known from then on.
  const settings = await part(async () => settingsSection(await settingsOf(context, root)))
  const parts: [title: string, content: unknown][] = [
    ['Machine', await part(() => machineSection(context))],
    ['Doctor', await part(async () => (await checks()).map(({ about, name, status, detail }) => `${status}: ${about} ${name}: ${detail}`))],
    ['Settings', settings],
    ['Daemon', await part(() => daemonSection(context.folders.state))],
    ['Log of the daemon', await part(() => logSection(context.folders.state))],
    ['Store', await part(async () => storeSection(await context.store()))],
    ['Failed runs', await part(async () => runsSection(await context.store()))],
  ]
  const made = new Date(context.clock.now()).toISOString()
  const sections = parts.map(([title, content]) => `## ${title}\n\n${block(clean(content))}\n`)
  return `# Report of reeve ${context.version}, ${made}\n\n${HEAD}\n\n${sections.join('\n')}`
}

async function part(make: () => unknown): Promise<unknown> {
  try {
    return await make()
  } catch (error) {
    return { problem: problemOf(error) }
  }
}

/** Fenced so that nothing in it is Markdown; a fence within is made harmless by one more space. */
function block(content: unknown): string {
  const isList = Array.isArray(content) && content.every((it) => typeof it === 'string')
  const text = isList ? content.join('\n') : JSON.stringify(content, null, 2)
  return `\`\`\`${isList ? 'text' : 'json'}\n${text.replaceAll(/^(\s*)```/gm, "$1'''")}\n\`\`\``
}

function nameOf(): string {
  try {
    return userInfo().username
  } catch {
    return '' // a container may run as a user without a name
  }
}
