import { z } from 'zod'
import { readAnchors } from '../access/audit.ts'
import { auditKeyFile, createSealer, readKey } from '../access/seal.ts'
import { verifyAudit } from '../access/verify-audit.ts'
import { ReeveError } from '../core/errors.ts'
import { sinceOf } from './durations.ts'
import { operation } from './operation.ts'

const lineSchema = z.object({
  seq: z.int().describe('From 1, without gaps.'),
  ts: z.number().describe('Epoch ms.'),
  actor: z.string(),
  action: z.string().describe('Name of the operation, or "login".'),
  target: z.string().describe('On what, and how.'),
  via: z.string().describe('From where: the command line, the socket, an address.'),
  result: z.string().describe('"ok", "begun", or the code of an error.'),
})

export const auditList = operation({
  name: 'audit.list',
  route: 'GET /api/v1/audit',
  place: 'caller',
  summary: 'Lists what was asked for: who, what, on what, from where, and what came of it.',
  permission: 'audit:read',
  effect: 'read',
  input: z.object({
    since: z.string().optional().describe('Only since then: 30m, 24h, 7d, 2w, or a day such as 2026-11-01.'),
    actor: z.string().optional().describe('Only of this caller, such as "key:ci".'),
    limit: z.int().min(1).max(10_000).default(100).describe('The newest of them.'),
  }),
  output: z.object({ lines: z.array(lineSchema) }),
  async handler(context, input) {
    const store = await context.store()
    const lines = await store.access.auditLines({
      limit: input.limit,
      ...(input.since === undefined ? {} : { since: sinceOf(input.since, context.clock.now()) }),
      ...(input.actor === undefined ? {} : { actor: input.actor }),
    })
    return { lines: lines.map(({ sealedBy: _by, seal: _seal, ...line }) => line) }
  },
})

const HEAD = /^(\d+):([\w-]{43})$/

export const auditVerify = operation({
  name: 'audit.verify',
  route: 'GET /api/v1/audit/verification',
  place: 'caller',
  summary: 'Checks that the record of what was asked for is as it was written, and names the first line that is not.',
  permission: 'audit:read',
  effect: 'read',
  input: z.object({
    head: z
      .string()
      .optional()
      .describe('An end that an earlier check has told, "<line>:<seal>": a tail that was cut since shows against it.'),
  }),
  output: z.object({
    ok: z.boolean(),
    lines: z.int().describe('That are as they were written.'),
    broken: z.object({ line: z.int(), problem: z.string() }).nullable(),
    head: z.string().nullable().describe('Where it ends, to be kept elsewhere.'),
    compared: z.int().describe('Earlier ends that it was compared with.'),
  }),
  async handler(context, input) {
    const store = await context.store()
    const anchors = await readAnchors(store.folder)
    if (input.head !== undefined) {
      const [, seq, seal] = HEAD.exec(input.head) ?? []
      if (seq === undefined || seal === undefined)
        throw new ReeveError('invalid_input', {
          problem: `head is "${input.head}"; allowed: "<line>:<seal>", as an earlier check has told it`,
        })
      anchors.push({ at: 'the day of --head', seq: Number(seq), seal })
    }
    // Without the key nothing can be checked, and a new one would fit nothing.
    const key = await readKey(auditKeyFile(store.folder))
    if (key === null && (await store.access.auditHead()) !== null)
      throw new ReeveError('environment', {
        problem: `The key of the audit record is gone: ${auditKeyFile(store.folder)}. Without it nothing can be checked.`,
      })
    const { head, anchors: compared, ...found } = await verifyAudit(store, { sealer: createSealer(key ?? ''), anchors })
    return { ok: found.broken === null, ...found, head: head === null ? null : `${head.seq}:${head.seal}`, compared }
  },
})
