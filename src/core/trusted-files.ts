/** Who is hurt by a change: `never`: no run may make it; `chore`: only a task for it may; `review`: a person has to look. */
export type Weight = 'never' | 'chore' | 'review'

export interface TrustedFile {
  /** What the file decides, for the sentence to people. */
  what: string
  weight: Weight
}

interface Row extends TrustedFile {
  /** Names of files, in lower case, `*` for the rest of a name; in any folder. */
  files: readonly string[]
  /** Folders all of whose files count, in any folder. */
  folders: readonly string[]
}

/**
 * Files that a program outside of the run reads later and trusts: a change to one, or one that is new, is a way out of any sandbox. Makefiles
 * and scripts of package files that gates call are compared by the gates themselves.
 */
const ROWS: readonly Row[] = [
  { what: 'how reeve itself works', weight: 'never', files: words('reeve.toml reeve.*.toml .worktreeinclude'), folders: ['.reeve'] },
  {
    what: 'what the continuous integration runs',
    weight: 'chore',
    files: words(`
      .gitlab-ci.yml .gitlab-ci.yaml azure-pipelines.yml azure-pipelines.yaml bitbucket-pipelines.yml jenkinsfile .travis.yml .travis.yaml
      .drone.yml .drone.yaml .woodpecker.yml .woodpecker.yaml appveyor.yml appveyor.yaml .appveyor.yml .appveyor.yaml .cirrus.yml
    `),
    folders: words('.github/workflows .github/actions .gitlab/ci .circleci .buildkite .ci .woodpecker .teamcity .tekton'),
  },
  {
    what: 'what programs on your machine do',
    weight: 'review',
    files: words(`
      .git .gitattributes .gitmodules .gitconfig .envrc .env .netrc .exrc .nvimrc .nvim.lua .dir-locals.el .pre-commit-config.yaml
      lefthook.yml lefthook.yaml .lefthook* .lintstagedrc* mise.toml .mise.toml .tool-versions .npmrc .yarnrc* .pnpmfile.* bunfig.toml
      pip.conf .pypirc .bazelrc gradlew gradlew.bat mvnw mvnw.cmd
    `),
    folders: words('.git .husky .githooks .direnv .yarn .mvn gradle/wrapper .cargo .bundle .mise'),
  },
  {
    what: 'what agents and editors are told',
    weight: 'review',
    files: words(`
      agents.md agents.override.md claude.md claude.local.md gemini.md copilot-instructions.md .mcp.json mcp.json .cursorrules
      .windsurfrules .clinerules .aider* .roorules .goosehints .devcontainer.json *.code-workspace
    `),
    folders: words(`
      .claude .codex .gemini .cursor .windsurf .continue .clinerules .roo .kiro .junie .opencode .agents .amazonq .vscode .idea .fleet
      .zed .run .devcontainer
    `),
  },
]

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

/** What a path decides for others, null when nothing. Letters' case makes no difference: on many machines it does not to the reader either. */
export function trustedFile(path: string): TrustedFile | null {
  const folded = path.normalize('NFC').toLowerCase()
  const name = folded.slice(folded.lastIndexOf('/') + 1)
  const row = ROWS.find((it) => it.files.some((file) => isNamed(name, file)) || it.folders.some((folder) => isIn(folded, folder)))
  return row ? { what: row.what, weight: row.weight } : null
}

function isNamed(name: string, file: string): boolean {
  const [begin = '', end] = file.split('*')
  if (end === undefined) return name === file
  return name.length >= begin.length + end.length && name.startsWith(begin) && name.endsWith(end)
}

/** The folder itself, too: a link in its place leads to all that is in it. */
function isIn(path: string, folder: string): boolean {
  return `/${path}/`.includes(`/${folder}/`)
}
