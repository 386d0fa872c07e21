import { z } from 'zod'
import type { Json } from '../../core/json.ts'
import type { Permissions } from '../../core/role.ts'

const path = z.string().min(1).describe('From the root of the repository')

const replacement = z.strictObject({
  path,
  find: z.string().min(1).describe('Lines of the file exactly as they are, enough of them to occur only once'),
  replace: z.string().describe('What stands there instead; empty to delete'),
})
const wholeFile = z.strictObject({ path, content: z.string().describe('The whole file, new or replaced') })
const deletion = z.strictObject({ path, delete: z.literal(true) })
const edit = z.union([replacement, wholeFile, deletion])

const readerAnswer = z.strictObject({
  summary: z.string().describe('Your whole answer, or why you need more files'),
  read: z.array(z.string()).max(20).optional().describe('Files you need to see: "src/a.ts", "src/a.ts:120-240", or a folder "src/"'),
})
const writerAnswer = z.strictObject({
  summary: z.string().describe('What you do in this answer and why, in a few sentences'),
  read: readerAnswer.shape.read,
  edits: z.array(edit).max(100).optional().describe('What is to be changed'),
  done: z.boolean().optional().describe('true when nothing is left to do after these edits'),
})

export type Edit = z.output<typeof edit>
/** What a model without tools answers in one turn. */
export type Proposal = z.output<typeof writerAnswer>

/** The shape of an answer of a role: who may not write is not asked for edits. */
export function proposalSchema({ write }: Permissions): { [key: string]: Json } {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(write === 'none' ? readerAnswer : writerAnswer, { io: 'input' }) as {
    [key: string]: Json
  }
  return schema
}
