import type { CliRequest } from './port.ts'

/** Linux takes 128 KiB in one argument. */
const LONGEST = 100_000

/** The prompt for a program that takes it as an argument only: a long one is named by its file. */
export function promptArgument({ prompt, promptFile }: Pick<CliRequest, 'prompt' | 'promptFile'>): string {
  if (Buffer.byteLength(prompt) > LONGEST) return `Your task is in the file ${promptFile}. Read the whole of it, then do what it says.`
  return prompt.startsWith('-') ? `\n${prompt}` : prompt
}
