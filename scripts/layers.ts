/**
 * The direction of imports as data. Fails on an import against the table and on a folder that is not in it.
 * Run: node scripts/layers.ts
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** room -> rooms whose modules it may import. `main.ts` and `app.ts` may import everything. */
const CAPABILITIES = ['workspace', 'sandbox', 'scanner', 'gates', 'models', 'agents', 'process', 'config']
const FACE = ['client', 'operations', 'core', 'config']
export const LAYERS: Record<string, readonly string[]> = {
  core: [],
  process: ['core'],
  config: ['core'],
  // Logger, metrics, traces: no words of the domain.
  telemetry: ['core'],
  store: ['core'],
  access: ['store', 'core'],
  models: ['process', 'core'],
  // How programs are held. Knows no git, no workspace: it is told folders.
  sandbox: ['process', 'core'],
  workspace: ['sandbox', 'process', 'core'],
  // The scanner says which commands a project has; gates run them and judge.
  scanner: ['workspace', 'process', 'core'],
  gates: ['scanner', 'workspace', 'process', 'core'],
  agents: ['models', 'workspace', 'process', 'scanner', 'core'],
  // The types and the tests for authors of plug-ins.
  plugin: ['agents', 'models', 'workspace', 'sandbox', 'process', 'core'],
  engine: ['store', 'core'],
  steps: ['engine', 'agents', 'models', 'workspace', 'sandbox', 'gates', 'scanner', 'core'],
  workflows: ['steps', 'engine', 'core'],
  operations: ['engine', 'workflows', 'steps', ...CAPABILITIES, 'access', 'telemetry', 'store', 'core'],
  client: ['operations', 'core'],
  // `reeve mcp` starts that face.
  cli: [...FACE, 'mcp'],
  http: [...FACE, 'access', 'telemetry'],
  mcp: [...FACE, 'telemetry'],
  // The process around the faces: its lock, its file, how it is started and ended.
  daemon: ['process', 'telemetry', 'access', 'store', ...FACE],
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"\n]*?from\s+['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)|(?:^|\n)\s*import\s+['"](\.[^'"]+)['"]/g
const MULTILINE = /(?:^|\n)(?:import|export)\s+(?:type\s+)?\{[^}]*\}\s+from\s+['"](\.[^'"]+)['"]/g

function importsOf(file: string, root: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = [...text.matchAll(IMPORT), ...text.matchAll(MULTILINE)].map((it) => it[1] ?? it[2] ?? it[3] ?? '')
  return [...new Set(found.map((it) => normalize(join(dirname(file), it))))]
}

function roomOf(file: string): string | undefined {
  const [top, room, rest] = file.split('/')
  return top === 'src' && rest !== undefined ? room : undefined
}

/** Every broken rule as a sentence; empty when all is well. `root` is the folder that holds `src/`. */
export function brokenLayers(files: readonly string[], root = '.'): string[] {
  return files.flatMap((file) => {
    const room = roomOf(file)
    if (room === undefined) return []
    const allowed = LAYERS[room]
    if (!allowed) return [`${file}: the room "${room}" is not in the table of scripts/layers.ts`]
    return importsOf(file, root).flatMap((target) => {
      const other = roomOf(target)
      if (other === room) return []
      if (other === undefined) return target.startsWith('src/') ? [`${file}: may not import ${target}, only the entry points do`] : []
      return allowed.includes(other)
        ? []
        : [`${file}: "${room}" may not import "${other}" (${target}). Allowed: ${allowed.join(', ') || 'nothing'}`]
    })
  })
}

if (import.meta.main) {
  const broken = brokenLayers(globSync('src/**/*.ts').filter((it) => !it.endsWith('.test.ts')))
  for (const line of broken) console.error(line)
  console.log(`layers: ${broken.length === 0 ? 'ok' : `${broken.length} broken`}`)
  process.exitCode = broken.length === 0 ? 0 : 1
}
