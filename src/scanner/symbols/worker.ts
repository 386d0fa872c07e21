/** The thread that parses. One request at a time; a grammar that was loaded stays. The other side is `parser-thread.ts`. */
import { parentPort } from 'node:worker_threads'
import { problemOf } from '../../core/errors.ts'
import type { Grammar } from '../language-table.ts'
import { type SyntaxProblem, syntaxProblemOf } from './check.ts'
import { grammarLoader } from './grammars.ts'
import { type Outline, outlineOf } from './outline.ts'

export interface ParseRequest {
  id: number
  want: 'outline' | 'check'
  grammar: Grammar
  text: string
}

/** `started` says that the grammar is loaded, so that the time limit covers the parsing alone. */
export type ParseReply =
  | { id: number; type: 'started' }
  | { id: number; type: 'outline'; outline: Outline }
  | { id: number; type: 'check'; found: SyntaxProblem | null }
  | { id: number; type: 'failed'; problem: string }

const load = grammarLoader()

function send(reply: ParseReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(reply)
}

async function answer({ id, want, grammar, text }: ParseRequest): Promise<ParseReply> {
  try {
    const loaded = await load(grammar)
    send({ id, type: 'started' })
    if (want === 'check') return { id, type: 'check', found: syntaxProblemOf(text, loaded) }
    return { id, type: 'outline', outline: outlineOf(text, loaded) }
  } catch (error) {
    return { id, type: 'failed', problem: problemOf(error) }
  }
}

parentPort?.on('message', (request: ParseRequest) => {
  void answer(request).then(send)
})
