import { parse as parseToml, type TomlTable } from 'smol-toml'
import { type Json, parseJson } from '../../core/json.ts'

export type Ecosystem = 'npm' | 'python' | 'rust' | 'go' | 'jvm' | 'ruby' | 'elixir' | 'native' | 'php' | 'dotnet'

/** A dependency and the place in its file that names it, such as `dependencies` or `line 3`. */
export interface Dependency {
  name: string
  key: string
}

export interface ManifestKind {
  ecosystem: Ecosystem
  /** Against the file name. */
  name: RegExp
  /** Throws with a sentence when the text is malformed. Names are lower case but for JVM and Go, where case tells. */
  dependencies(text: string, path: string): Dependency[]
}

type Table = Record<string, unknown>

export const MANIFEST_KINDS: readonly ManifestKind[] = [
  { ecosystem: 'npm', name: /^package\.json$/, dependencies: npm },
  { ecosystem: 'python', name: /^pyproject\.toml$/, dependencies: pyproject },
  { ecosystem: 'python', name: /^requirements[\w.-]*\.(?:txt|in)$|^.*-requirements\.txt$/, dependencies: requirements },
  { ecosystem: 'python', name: /^Pipfile$/, dependencies: (text) => tomlKeys(text, ['packages'], ['dev-packages']) },
  { ecosystem: 'python', name: /^setup\.(?:py|cfg)$/, dependencies: setupFile },
  {
    ecosystem: 'rust',
    name: /^Cargo\.toml$/,
    dependencies: (text) => tomlKeys(text, ['dependencies'], ['dev-dependencies'], ['build-dependencies'], ['workspace', 'dependencies']),
  },
  { ecosystem: 'go', name: /^go\.mod$/, dependencies: (text) => lines(text, /^\s*(?:require\s+)?([\w.-]+\.[\w.-]+\/\S+)\s+v\d/) },
  { ecosystem: 'jvm', name: /^pom\.xml$/, dependencies: maven },
  { ecosystem: 'jvm', name: /^(?:build|settings)\.gradle(?:\.kts)?$|^libs\.versions\.toml$/, dependencies: gradle },
  { ecosystem: 'ruby', name: /^Gemfile$/, dependencies: (text) => lines(text, /^\s*gem\s*\(?\s*['"]([^'"]+)/) },
  {
    ecosystem: 'ruby',
    name: /\.gemspec$/,
    dependencies: (text) => lines(text, /\.add_(?:development_|runtime_)?dependency\s*\(?\s*['"]([^'"]+)/),
  },
  { ecosystem: 'elixir', name: /^mix\.exs$/, dependencies: (text) => lines(text, /\{\s*:(\w+)\s*,/) },
  { ecosystem: 'native', name: /^CMakeLists\.txt$/, dependencies: cmake },
  { ecosystem: 'native', name: /^conanfile\.txt$/, dependencies: (text) => lines(text, /^\s*([\w.+-]+)\/[\w.[]/) },
  { ecosystem: 'native', name: /^conanfile\.py$/, dependencies: (text) => lines(text, /['"]([\w.+-]+)\/[\d.[]/) },
  { ecosystem: 'native', name: /^vcpkg\.json$/, dependencies: vcpkg },
  { ecosystem: 'native', name: /^meson\.build$/, dependencies: (text) => lines(text, /dependency\(\s*'([^']+)'/) },
  { ecosystem: 'native', name: /\.pro$/, dependencies: (text) => (/^[ \t]*QT[ \t]*[+=]/m.test(text) ? [{ name: 'qt', key: 'QT' }] : []) },
  {
    ecosystem: 'php',
    name: /^composer\.json$/,
    dependencies: (text, path) => jsonKeys(object(parseJson(text, path)), 'require', 'require-dev'),
  },
  { ecosystem: 'dotnet', name: /\.(?:cs|fs|vb)proj$/, dependencies: (text) => lines(text, /<PackageReference\s+Include="([^"]+)"/) },
]

function npm(text: string, path: string): Dependency[] {
  const value = parseJson(text, path)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error(`${path} holds no JSON object`)
  return jsonKeys(value, 'dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies')
}

function jsonKeys(value: { [key: string]: Json }, ...keys: string[]): Dependency[] {
  return keys.flatMap((key) => Object.keys(object(value[key])).map((name) => ({ name: name.toLowerCase(), key })))
}

function pyproject(text: string): Dependency[] {
  const toml = parseToml(text)
  const found: Dependency[] = []
  const list = (value: unknown, key: string) => {
    for (const it of Array.isArray(value) ? value : []) if (typeof it === 'string') found.push(...pythonName(it, key))
  }
  list(at(toml, ['project'])['dependencies'], 'project.dependencies')
  for (const path of [['project', 'optional-dependencies'], ['dependency-groups']])
    for (const [group, value] of Object.entries(at(toml, path))) list(value, `${path.join('.')}.${group}`)
  list(at(toml, ['tool', 'uv'])['dev-dependencies'], 'tool.uv.dev-dependencies')
  list(at(toml, ['build-system'])['requires'], 'build-system.requires')
  const groups = Object.keys(at(toml, ['tool', 'poetry', 'group'])).map((it) => ['tool', 'poetry', 'group', it, 'dependencies'])
  return [...found, ...keysAt(toml, ['tool', 'poetry', 'dependencies'], ['tool', 'poetry', 'dev-dependencies'], ...groups)]
}

function requirements(text: string): Dependency[] {
  return text.split('\n').flatMap((line, index) => (/^\s*[A-Za-z]/.test(line) ? pythonName(line.trim(), `line ${index + 1}`) : []))
}

// Longer ones are nobody's; looking for an end that never comes, from each beginning anew, takes minutes.
const LONGEST_BLOCK = 20_000
const INSTALL_REQUIRES = /^install_requires\s*=\s*(?:\[([^\]]*)\]|((?:\n[ \t]+\S.*)+))/

function setupFile(text: string): Dependency[] {
  const places = [...text.matchAll(/install_requires\s*=\s*/g)].slice(0, 20).map((it) => it.index)
  const blocks = places.map((at) => INSTALL_REQUIRES.exec(text.slice(at, at + LONGEST_BLOCK)))
  const block = blocks.find((it) => it !== null)
  const names = (block?.[1] ?? block?.[2] ?? '').split(/[\n,]/).map((it) => it.replaceAll(/['"\s]/g, ''))
  return names.flatMap((it) => pythonName(it, 'install_requires'))
}

/** `Flask-Login[x]>=1 ; python_version<"3"` -> flask-login: case and `-_.` do not tell Python packages apart. */
function pythonName(requirement: string, key: string): Dependency[] {
  const name = /^[A-Za-z0-9][\w.-]*/.exec(requirement)?.[0]
  return name === undefined ? [] : [{ name: name.toLowerCase().replaceAll(/[_.]+/g, '-'), key }]
}

function maven(text: string): Dependency[] {
  if (!/<project\b/.test(text)) throw new Error('no <project> element')
  const blocks = text.matchAll(/<(dependency|parent|plugin)>([\s\S]{0,4000}?)<\/\1>/g)
  return [...blocks].flatMap(([, kind = '', inner = '']) => {
    const group = /<groupId>\s*([^<\s]+)/.exec(inner)?.[1]
    const artifact = /<artifactId>\s*([^<\s]+)/.exec(inner)?.[1]
    return artifact === undefined ? [] : [{ name: `${group ?? ''}:${artifact}`, key: kind }]
  })
}

function gradle(text: string): Dependency[] {
  return [
    ...lines(text, /['"]([\w.-]+:[\w.-]+)(?::[^'"]*)?['"]/),
    ...lines(text, /\bid\s*\(?\s*['"]([\w.-]+)['"]/).map((it) => ({ ...it, name: `${it.name}:plugin` })),
  ]
}

function cmake(text: string): Dependency[] {
  const found = lines(text, /(?:find_package|FetchContent_Declare|CPMAddPackage|FetchContent_MakeAvailable)\s*\(\s*"?(?:NAME\s+)?(\w+)/i)
  return [
    ...found,
    ...lines(text, /target_link_libraries\s*\([^)]*?\b(gtest_main|gtest|gmock|GTest::\w+|Qt[56]::\w+|Catch2::\w+|doctest::doctest)/),
  ].map((it) => ({ ...it, name: (it.name.split('::')[0] ?? it.name).toLowerCase() }))
}

function vcpkg(text: string, path: string): Dependency[] {
  const value = object(parseJson(text, path))['dependencies']
  const names = (Array.isArray(value) ? value : []).map((it) => (typeof it === 'string' ? it : object(it)['name']))
  return names.flatMap((it) => (typeof it === 'string' ? [{ name: it.toLowerCase(), key: 'dependencies' }] : []))
}

function tomlKeys(text: string, ...paths: string[][]): Dependency[] {
  return keysAt(parseToml(text), ...paths)
}

function keysAt(toml: TomlTable, ...paths: string[][]): Dependency[] {
  return paths.flatMap((path) => Object.keys(at(toml, path)).map((it) => ({ name: it.toLowerCase(), key: path.join('.') })))
}

function at(value: unknown, path: readonly string[]): Table {
  const inner = path.reduce<unknown>((table, key) => (isTable(table) ? table[key] : undefined), value)
  return isTable(inner) ? inner : {}
}

function isTable(value: unknown): value is Table {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function object(value: Json | undefined): { [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {}
}

// Nobody names a dependency further to the right, and a line made to keep a pattern busy takes minutes.
const LONGEST_LINE = 500

function lines(text: string, pattern: RegExp): Dependency[] {
  return text.split('\n').flatMap((whole, index) => {
    const line = whole.slice(0, LONGEST_LINE)
    const name = /^\s*(?:\/\/|#)/.test(line) ? undefined : pattern.exec(line)?.[1]
    return name === undefined ? [] : [{ name, key: `line ${index + 1}` }]
  })
}
