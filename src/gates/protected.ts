import ignore from 'ignore'
import { trustedFile, type Weight } from '../core/trusted-files.ts'
import type { Finding } from '../core/verdict.ts'
import type { Bench } from './bench.ts'
import { lineChanges } from './lines.ts'
import { quoted, RULES, tampered } from './named.ts'

type Severity = Finding['severity']

// Who is asked for a chore may be asked to change how the project is built on a server; anybody else has no business there.
function severityOf(weight: Weight, kind: string): Severity {
  if (weight === 'never') return 'error'
  return weight === 'review' || kind === 'chore' ? 'warning' : 'error'
}

/** Changes to files that are not the task's to change. */
export async function protectedFindings(bench: Bench): Promise<Finding[]> {
  const { comparison, protectedFiles, settings, task } = bench.request
  const changes = comparison?.changes ?? []
  const own = await Promise.all(
    protectedFiles.map(async (path) => {
      const [wanted, now] = [await bench.request.protectedContent(path), await bench.here(path)]
      if (wanted === now) return []
      return [tampered(RULES.protected, { file: path }, `The protected file ${quoted(path)} was ${now === null ? 'deleted' : 'changed'}.`)]
    }),
  )
  const told = new Set(protectedFiles)
  const globs = ignore().add([...settings.project.protected])
  const guarded = changes
    .filter((it) => !told.has(it.path))
    .flatMap((it) => {
      const verb = { added: 'added', modified: 'changed', deleted: 'deleted' }[it.status]
      if (globs.ignores(it.path)) {
        return [
          tampered(
            RULES.protected,
            { file: it.path },
            `The file ${quoted(it.path)} was ${verb}; [project] protected of reeve.toml forbids it.`,
          ),
        ]
      }
      const guard = trustedFile(it.path)
      if (!guard) return []
      return [
        tampered(
          RULES.protected,
          { file: it.path },
          `The file ${quoted(it.path)}, which decides ${guard.what}, was ${verb}.`,
          severityOf(guard.weight, task.kind),
        ),
      ]
    })
  return [...own.flat(), ...guarded, ...(await hiddenFiles(bench))]
}

/** What would judge, or tell tests how to run, if it came without being seen. */
const UNSEEN = [
  'package.json',
  'vitest.config.ts',
  'vitest.config.js',
  'jest.config.js',
  'conftest.py',
  'tests/conftest.py',
  'test/conftest.py',
  'pytest.ini',
  'pyproject.toml',
  'tsconfig.json',
  'eslint.config.js',
  'CMakeLists.txt',
  'Makefile',
  'sitecustomize.py',
  'reeve.toml',
]

/** A change that makes git ignore what judges it could bring any configuration without showing it. */
async function hiddenFiles(bench: Bench): Promise<Finding[]> {
  const { comparison } = bench.request
  const lists = comparison?.changes.filter((it) => it.status !== 'deleted' && /(?:^|\/)\.gitignore$/.test(it.path)) ?? []
  const tests = lists.length > 0 ? ((await comparison?.filesAtBase()) ?? []).filter((it) => bench.isTest(it)) : []
  const found = await Promise.all(
    lists.map(async ({ path }) => {
      const { added } = lineChanges(await bench.atBase(path), await bench.here(path))
      const rules = ignore().add(added)
      const [hidden] = [...UNSEEN, ...tests].filter((it) => rules.ignores(it))
      const message = `The file ${quoted(path)} now hides ${quoted(hidden ?? '')} from git, and so from every check.`
      return hidden === undefined ? [] : [tampered(RULES.protected, { file: path }, message)]
    }),
  )
  return found.flat()
}
