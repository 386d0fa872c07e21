import { describe, expect, it } from 'vitest'
import { trustedFile } from './trusted-files.ts'

describe('files that other programs trust', () => {
  it.each([
    ['reeve.toml', 'never'],
    ['reeve.ci.toml', 'never'],
    ['.reeve/roles/a.yaml', 'never'],
    ['.reeve/config', 'never'],
    ['.worktreeinclude', 'never'],
    ['.github/workflows/ci.yml', 'chore'],
    ['.gitlab-ci.yml', 'chore'],
    ['Jenkinsfile', 'chore'],
    ['.ci/run', 'chore'],
    ['.gitattributes', 'review'],
    ['sub/.gitmodules', 'review'],
    ['sub/.git/config', 'review'],
    ['.husky/pre-commit', 'review'],
    ['.envrc', 'review'],
    ['.npmrc', 'review'],
    ['.yarnrc.yml', 'review'],
    ['.yarn/releases/yarn.cjs', 'review'],
    ['.pnpmfile.cjs', 'review'],
    ['.pre-commit-config.yaml', 'review'],
    ['gradle/wrapper/gradle-wrapper.jar', 'review'],
    ['.cargo/config.toml', 'review'],
    ['AGENTS.md', 'review'],
    ['packages/a/CLAUDE.md', 'review'],
    ['.mcp.json', 'review'],
    ['.claude/settings.json', 'review'],
    ['.codex/config.toml', 'review'],
    ['.gemini/settings.json', 'review'],
    ['.cursor/rules/a.mdc', 'review'],
    ['.vscode/tasks.json', 'review'],
    ['.idea/workspace.xml', 'review'],
    ['.devcontainer/devcontainer.json', 'review'],
    ['a.code-workspace', 'review'],
  ])('%s: %s', (path, weight) => expect(trustedFile(path)?.weight).toBe(weight))

  it('are meant in any case of letters, and as links in the place of their folder', () => {
    for (const path of ['agents.MD', '.VSCode/tasks.json', '.vscode', '.claude', 'a/.husky', 'REEVE.TOML']) {
      expect(trustedFile(path), path).not.toBeNull()
    }
  })

  it('are no others', () => {
    for (const path of ['src/agents.ts', 'docs/agents.md.txt', '.gitignore', '.github/FUNDING.yml', 'vscode/a.ts', 'x.git/a', 'reeve.ts']) {
      expect(trustedFile(path), path).toBeNull()
    }
  })
})
