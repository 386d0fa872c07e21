import type { Asked, Reply } from './dialect.ts'
import type { Scene, ScriptStep } from './script.ts'
import { useFor, useForAnswer } from './tools.ts'

const SIDE = { text: 'Scripted.', usage: { input: 10, output: 5, cached: 0, written: 0 } }
const INPUT = 1000
const OUTPUT = 50

/** Which step of which scene a request is for. `side`: it is none of ours, such as one for a title. */
export type Cue = { side: true } | { side: false; scene: number; step: number }

/**
 * Finds the place in the script by the request alone: the first scene whose pattern fits, and there the step whose number is that of the tool
 * results after the message that fitted, so that a session that goes on with another prompt begins another scene at its first step.
 */
export function cueFor(asked: Asked, scenes: readonly Scene[]): Cue {
  if (asked.tools.length === 0) return { side: true }
  for (const [at, { when }] of scenes.entries()) {
    const begins = beginOf(asked, when)
    if (begins === null) continue
    return { side: false, scene: at, step: asked.parts.slice(begins).filter((it) => it.kind === 'result').length }
  }
  return { side: true }
}

function beginOf({ parts }: Asked, when: string | undefined): number | null {
  if (when === undefined) return 0
  const pattern = new RegExp(when)
  const users = parts.findLastIndex((it) => it.kind === 'user' && pattern.test(it.text))
  if (users >= 0) return users
  return parts.some((it) => it.kind === 'system' && pattern.test(it.text)) ? 0 : null
}

/** The answer to a request. The same request gets the same one. */
export function replyTo(asked: Asked, cue: Cue, scenes: readonly Scene[], workdir: string | null): Reply {
  if (cue.side) return { ...emptyReply('side', asked), text: SIDE.text, usage: SIDE.usage }
  const steps = scenes[cue.scene]?.steps ?? []
  const step = steps[cue.step] ?? { say: lastWords(steps) }
  const base = emptyReply(`${cue.scene}_${cue.step}`, asked)
  const { input = INPUT + cue.step, output = OUTPUT, cached = 0, written = 0 } = step.usage ?? {}
  return { ...base, usage: { input, output, cached, written }, ...acted(step, asked, cue, workdir ?? folderIn(asked)) }
}

function emptyReply(id: string, { model }: Asked): Reply {
  return { id, model, text: '', calls: [], refused: false, usage: SIDE.usage }
}

function acted(step: ScriptStep, asked: Asked, cue: { scene: number; step: number }, folder: string | null): Partial<Reply> {
  if (step.say !== undefined) return { text: step.say }
  if (step.refuse !== undefined) return { text: step.refuse, refused: true }
  const use = step.answer === undefined ? useFor(step, asked.tools, folder) : useForAnswer(step.answer, asked.tools)
  if (use) return { text: step.text ?? `Step ${cue.step + 1}: ${kindOf(step)}.`, calls: [{ id: callId(asked, cue), ...use }] }
  if (step.answer !== undefined) return { text: JSON.stringify(step.answer) }
  return { text: `I have no tool to ${kindOf(step)}.` }
}

/** Unlike those before it in a session that plays a scene twice. */
function callId({ parts }: Asked, { scene, step }: { scene: number; step: number }): string {
  return `call_${scene}_${step}_${parts.length}`
}

function kindOf(step: ScriptStep): string {
  return (['read', 'edit', 'write', 'run', 'call', 'answer'] as const).find((it) => step[it] !== undefined) ?? 'say'
}

/** What an agent that asks again after the end is told. */
function lastWords(steps: readonly ScriptStep[]): string {
  const last = steps.findLast((it) => it.say !== undefined || it.answer !== undefined)
  return last?.say ?? (last === undefined ? 'DONE' : JSON.stringify(last.answer))
}

/** How programs tell the model where they work: their tools want absolute paths. */
const FOLDERS = [
  /<cwd>\s*(\/[^<\n]*?)\s*<\/cwd>/,
  /\bWORKDIR=(\/\S+)/,
  /(?:work(?:ing|space)?|current)(?: in the)? ?(?:directory|dir|folder|root)(?: is| path)?[^\S\n]*[:=`"'(]*[^\S\n]*[`"'(]*(\/[^\s`"'<>)]+)/i,
]

function folderIn({ parts }: Asked): string | null {
  for (const part of parts) {
    if (part.kind === 'result') continue
    for (const pattern of FOLDERS) {
      const found = pattern.exec(part.text)?.[1]
      if (found !== undefined) return found.replace(/[.,;]$/, '')
    }
  }
  return null
}
