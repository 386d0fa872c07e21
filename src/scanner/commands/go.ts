import type { DetectedCommand } from '../port.ts'
import { command } from './command.ts'
import { type ProjectFiles, under } from './project-files.ts'

const NEEDS = { program: 'go', hint: 'Install Go.' }

async function detectFolder(project: ProjectFiles, cwd: string): Promise<DetectedCommand[]> {
  const manifest = under(cwd, 'go.mod')
  const module = /^module\s+"?([^\s"]+)/m.exec(await project.text(manifest))?.[1] ?? ''
  const shared = { cwd, reason: manifest, needs: NEEDS }
  const tests = project.all.some((it) => it.endsWith('_test.go') && (cwd === '.' || it.startsWith(`${cwd}/`)))
  const golangci = ['.golangci.yml', '.golangci.yaml', '.golangci.toml'].map((it) => under(cwd, it)).find((it) => project.has(it))
  const lint =
    golangci === undefined
      ? command({
          ...shared,
          gate: 'lint',
          tool: 'go-vet',
          argv: ['go', 'vet', './...'],
          typed: 'go vet ./...',
          report: { format: 'text', path: null },
        })
      : command({
          ...shared,
          gate: 'lint',
          tool: 'golangci-lint',
          argv: ['golangci-lint', 'run', './...'],
          reason: golangci,
          typed: 'golangci-lint run ./...',
          needs: { program: 'golangci-lint', hint: 'Install golangci-lint.' },
          report: { format: 'text', path: null },
        })
  const build = command({
    ...shared,
    gate: 'build',
    tool: 'go-build',
    // Without -o a single main package would leave its program in the tree.
    argv: ['go', 'build', '-o', '/dev/null', './...'],
    typed: 'go build ./...',
    report: { format: 'text', path: null },
  })
  if (!tests) return [build, lint]
  return [
    build,
    lint,
    command({
      ...shared,
      gate: 'tests',
      tool: 'go-test',
      argv: ['go', 'test', '-json', '{tests}', './...'],
      typed: 'go test ./...',
      testPaths: ['./...'],
      env: { REEVE_GO_MODULE: module },
      report: { format: 'json', path: null },
    }),
    command({
      ...shared,
      gate: 'coverage',
      tool: 'go-cover',
      argv: ['go', 'test', '-coverprofile={report}/cover.out', '-coverpkg=./...', './...'],
      typed: 'go test -coverprofile=cover.out ./...',
      env: { REEVE_GO_MODULE: module },
      report: { format: 'text', path: '{report}/cover.out' },
    }),
  ]
}

/** Go: go.mod says it all. */
export async function detectGo(project: ProjectFiles): Promise<DetectedCommand[]> {
  const found = await Promise.all(project.foldersWith(['go.mod']).map((folder) => detectFolder(project, folder)))
  return found.flat()
}
