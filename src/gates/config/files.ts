/** Files that decide how a project is judged, as data: which gates read them and how two versions are compared. */
export type Reader = 'package-json' | 'json' | 'toml' | 'ini' | 'code' | 'makefile' | 'cmake' | 'build-file'

export interface ConfigFile {
  name: RegExp
  gates: readonly string[]
  reader: Reader
  /** Only these parts of the file concern gates; all of it when absent. Dotted, compared from the start. */
  sections?: readonly string[]
}

const TESTS = ['tests', 'coverage']
const JS = String.raw`\.(?:[cm]?[jt]s|json5?)$`
const PYPROJECT = [
  'tool.pytest',
  'tool.coverage',
  'tool.mypy',
  'tool.ruff',
  'tool.pyright',
  'tool.basedpyright',
  'tool.flake8',
  'tool.pylint',
  'tool.tox',
  'tool.nox',
  'tool.poe',
  'tool.hatch.envs',
  'tool.pdm.scripts',
  'tool.taskipy',
  'tool.black',
  'tool.isort',
]

export const CONFIG_FILES: readonly ConfigFile[] = [
  { name: /^package\.json$/, gates: ['build', 'types', 'lint', ...TESTS], reader: 'package-json' },
  { name: /^(?:deno\.jsonc?|turbo\.json|nx\.json|project\.json)$/, gates: ['build', 'types', 'lint', ...TESTS], reader: 'json' },
  { name: /^(?:vitest|vite|jest)[.\w-]*\.(?:config|workspace|projects|preset)[.\w-]*\.(?:[cm]?[jt]s)$/, gates: TESTS, reader: 'code' },
  { name: /^jest[.\w-]*\.json$|^\.mocharc(?:\.jsonc?)?$|^\.(?:nyc|c8)rc(?:\.json)?$|^karma\.conf\.json$/, gates: TESTS, reader: 'json' },
  {
    name: new RegExp(String.raw`^(?:vitest|vite|jest|ava|karma|playwright|cypress|wallaby)\.(?:config|workspace|conf|projects)${JS}`),
    gates: TESTS,
    reader: 'code',
  },
  { name: /^\.mocharc\.[cm]?js$|^\.mocharc\.ya?ml$|^mocha\.opts$|^nyc\.config\.[cm]?js$|^\.taprc$/, gates: TESTS, reader: 'code' },
  { name: /^(?:vitest|jest)[.-]setup\.[cm]?[jt]s$|^setup-?[tT]ests\.[cm]?[jt]s$/, gates: TESTS, reader: 'code' },
  { name: /^(?:tsconfig|jsconfig)[.\w-]*\.json$/, gates: ['types', 'build', 'lint'], reader: 'json' },
  {
    name: /^\.eslintrc(?:\.json)?$|^biome\.jsonc?$|^\.?oxlint(?:rc)?\.jsonc?$|^\.oxlintrc\.json$|^\.jshintrc$|^\.stylelintrc(?:\.json)?$|^dprint\.jsonc?$/,
    gates: ['lint'],
    reader: 'json',
  },
  {
    name: /^eslint\.config\.[cm]?[jt]s$|^\.eslintrc\.(?:[cm]?js|ya?ml)$|^(?:oxlint|stylelint)\.config\.[cm]?[jt]s$/,
    gates: ['lint'],
    reader: 'code',
  },
  { name: /^\.(?:eslint|prettier|stylelint|oxlint)ignore$/, gates: ['lint'], reader: 'code' },
  { name: /^conftest\.py$|^noxfile\.py$|^sitecustomize\.py$|^usercustomize\.py$/, gates: TESTS, reader: 'code' },
  { name: /^\.?pytest\.(?:ini|toml)$|^\.coveragerc$|^tox\.ini$/, gates: [...TESTS, 'lint'], reader: 'ini' },
  {
    name: /^setup\.cfg$/,
    gates: [...TESTS, 'lint', 'types'],
    reader: 'ini',
    sections: ['tool:pytest', 'pytest', 'mypy', 'flake8', 'coverage', 'pylint', 'aliases'],
  },
  { name: /^\.?mypy\.ini$|^\.flake8$|^\.?pylintrc$/, gates: ['lint', 'types'], reader: 'ini' },
  { name: /^pyproject\.toml$/, gates: ['build', 'types', 'lint', ...TESTS], reader: 'toml', sections: PYPROJECT },
  { name: /^\.?ruff\.toml$|^pylintrc\.toml$/, gates: ['lint'], reader: 'toml' },
  { name: /^pyrightconfig\.json$/, gates: ['types'], reader: 'json' },
  { name: /^(?:GNU)?[Mm]akefile$|\.mk$|^[Jj]ustfile$/, gates: ['build', 'types', 'lint', ...TESTS], reader: 'makefile' },
  {
    name: /^CMakeLists\.txt$|\.cmake$|^CMakePresets\.json$|^meson\.build$|^CTestConfig\.cmake$/,
    gates: ['build', ...TESTS],
    reader: 'cmake',
  },
  {
    name: /^\.clang-tidy$|^\.golangci\.(?:ya?ml|toml|json)$|^\.?clippy\.toml$|^\.rubocop(?:_todo)?\.yml$|^\.credo\.exs$/,
    gates: ['lint'],
    reader: 'code',
  },
  {
    name: /^Cargo\.toml$/,
    gates: ['build', 'lint', ...TESTS],
    reader: 'toml',
    sections: [
      'lints',
      'workspace.lints',
      'test',
      'lib.test',
      'lib.doctest',
      'lib.harness',
      'bin',
      'workspace.exclude',
      'workspace.members',
    ],
  },
  {
    name: /^(?:pom\.xml|build\.gradle(?:\.kts)?|settings\.gradle(?:\.kts)?|mix\.exs|test_helper\.exs|Rakefile|\.rspec|go\.work)$/,
    gates: ['build', ...TESTS],
    reader: 'build-file',
  },
]

export function configFileOf(path: string): ConfigFile | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return CONFIG_FILES.find((it) => it.name.test(name))
}
