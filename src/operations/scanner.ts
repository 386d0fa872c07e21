import { z } from 'zod'
import { plainCheckout, rootAround } from './checkouts.ts'
import { settingsOf } from './context.ts'
import { operation } from './operation.ts'

const named = z.object({ name: z.string(), reason: z.string() })

const symbol = z.object({
  name: z.string(),
  kind: z.string(),
  file: z.string(),
  line: z.int(),
  endLine: z.int(),
  signature: z.string(),
})

export const repoScanSchema = z.object({
  languages: z.array(z.object({ name: z.string(), files: z.int(), lines: z.int(), percent: z.number() })),
  frameworks: z.array(named),
  packageManagers: z.array(z.object({ name: z.string(), manifest: z.string(), lockfile: z.string().nullable(), reason: z.string() })),
  tests: z.object({ frameworks: z.array(named), files: z.array(z.string()), layout: z.string() }),
  commands: z.array(
    z.object({
      gate: z.string(),
      tool: z.string(),
      command: z.string(),
      cwd: z.string(),
      reason: z.string(),
      needs: z.object({ program: z.string(), hint: z.string() }).nullable(),
    }),
  ),
  files: z.int(),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
  durationMs: z.number(),
  /** null: not asked for. */
  symbols: z.array(symbol).nullable(),
  /** The ranked map as an agent gets it; null: not asked for. */
  map: z.string().nullable(),
})

export const scannerScan = operation({
  name: 'scanner.scan',
  route: 'GET /api/v1/projects/scan',
  place: 'caller',
  summary: 'Reads a repository without a model: languages, frameworks, tests, commands with the reason for each.',
  permission: 'projects:read',
  effect: 'read',
  input: z.object({
    path: z.string().optional().describe('A folder; the current one when absent.'),
    symbols: z.boolean().default(false).describe('Also all classes, functions and types, read by tree-sitter.'),
    map: z.int().min(100).max(100_000).optional().describe('Also the ranked map of the repository, in at most this many tokens.'),
  }),
  output: repoScanSchema,
  async handler(context, input) {
    const { scanRepository } = await import('../scanner/scan.ts')
    const checkout = await plainCheckout(context, input.path)
    const { settings } = await settingsOf(context, await rootAround(checkout.path))
    const scan = await scanRepository(checkout, { settings })
    const found = input.symbols ? await (await import('../scanner/repo-symbols.ts')).repoSymbols(checkout) : null
    const map = input.map === undefined ? null : await (await import('../scanner/repo-map.ts')).repoMap(checkout, { tokens: input.map })
    return { ...scan, skipped: [...scan.skipped, ...(found?.skipped ?? [])], symbols: found?.symbols ?? null, map }
  },
})
