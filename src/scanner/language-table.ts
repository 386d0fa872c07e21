/**
 * Languages as data. `code` counts in the language statistics; the rest is known so that it is not called unknown. `grammar` names the
 * tree-sitter grammar that reads its symbols.
 */
export interface Language {
  name: string
  kind: 'code' | 'markup' | 'data'
  extensions: readonly string[]
  /** Whole file names, compared in lower case. */
  names?: readonly string[]
  /** Programs of a `#!` line. */
  programs?: readonly string[]
  grammar?: Grammar
}

export const GRAMMARS = ['typescript', 'tsx', 'javascript', 'python', 'c', 'cpp', 'go', 'rust', 'java', 'ruby', 'elixir'] as const
export type Grammar = (typeof GRAMMARS)[number]

export const LANGUAGES: readonly Language[] = [
  { name: 'TypeScript', kind: 'code', extensions: ['ts', 'mts', 'cts'], programs: ['ts-node', 'tsx', 'deno'], grammar: 'typescript' },
  { name: 'TypeScript', kind: 'code', extensions: ['tsx'], grammar: 'tsx' },
  // The JavaScript grammar reads JSX too.
  {
    name: 'JavaScript',
    kind: 'code',
    extensions: ['js', 'mjs', 'cjs', 'jsx'],
    names: ['jakefile'],
    programs: ['node', 'bun'],
    grammar: 'javascript',
  },
  {
    name: 'Python',
    kind: 'code',
    extensions: ['py', 'pyi', 'pyw'],
    names: ['sconstruct', 'sconscript'],
    programs: ['python', 'python2', 'python3', 'pypy3', 'uv'],
    grammar: 'python',
  },
  { name: 'C', kind: 'code', extensions: ['c'], grammar: 'c' },
  // `.h` is C unless its text is C++: see `languageOf`.
  { name: 'C', kind: 'code', extensions: ['h'], grammar: 'c' },
  { name: 'C++', kind: 'code', extensions: ['cc', 'cpp', 'cxx', 'c++', 'hh', 'hpp', 'hxx', 'h++', 'ipp', 'tpp', 'inl'], grammar: 'cpp' },
  { name: 'Go', kind: 'code', extensions: ['go'], grammar: 'go' },
  { name: 'Rust', kind: 'code', extensions: ['rs'], programs: ['rust-script'], grammar: 'rust' },
  { name: 'Java', kind: 'code', extensions: ['java'], grammar: 'java' },
  {
    name: 'Ruby',
    kind: 'code',
    extensions: ['rb', 'rake', 'gemspec', 'ru'],
    names: ['rakefile', 'gemfile', 'guardfile', 'vagrantfile', 'podfile', 'fastfile'],
    programs: ['ruby'],
    grammar: 'ruby',
  },
  { name: 'Elixir', kind: 'code', extensions: ['ex', 'exs'], programs: ['elixir'], grammar: 'elixir' },
  { name: 'Kotlin', kind: 'code', extensions: ['kt', 'kts'] },
  { name: 'Scala', kind: 'code', extensions: ['scala', 'sc', 'sbt'] },
  { name: 'Groovy', kind: 'code', extensions: ['groovy', 'gradle'], names: ['jenkinsfile'] },
  { name: 'Clojure', kind: 'code', extensions: ['clj', 'cljs', 'cljc', 'edn'] },
  { name: 'C#', kind: 'code', extensions: ['cs', 'csx'] },
  { name: 'F#', kind: 'code', extensions: ['fs', 'fsi', 'fsx'] },
  { name: 'PHP', kind: 'code', extensions: ['php', 'phtml'], programs: ['php'] },
  { name: 'Swift', kind: 'code', extensions: ['swift'], programs: ['swift'] },
  { name: 'Objective-C', kind: 'code', extensions: ['m', 'mm'] },
  { name: 'Dart', kind: 'code', extensions: ['dart'], programs: ['dart'] },
  { name: 'Erlang', kind: 'code', extensions: ['erl', 'hrl'], programs: ['escript'] },
  { name: 'Haskell', kind: 'code', extensions: ['hs', 'lhs'], programs: ['runhaskell', 'stack'] },
  { name: 'OCaml', kind: 'code', extensions: ['ml', 'mli'], programs: ['ocaml'] },
  { name: 'Zig', kind: 'code', extensions: ['zig'] },
  { name: 'Nim', kind: 'code', extensions: ['nim', 'nims'] },
  { name: 'Crystal', kind: 'code', extensions: ['cr'], programs: ['crystal'] },
  { name: 'Julia', kind: 'code', extensions: ['jl'], programs: ['julia'] },
  { name: 'R', kind: 'code', extensions: ['r'], programs: ['rscript'] },
  { name: 'Perl', kind: 'code', extensions: ['pl', 'pm', 't'], programs: ['perl'] },
  { name: 'Lua', kind: 'code', extensions: ['lua'], programs: ['lua', 'luajit'] },
  { name: 'Fortran', kind: 'code', extensions: ['f', 'f90', 'f95', 'f03'] },
  { name: 'Assembly', kind: 'code', extensions: ['s', 'asm'] },
  { name: 'Vue', kind: 'code', extensions: ['vue'] },
  { name: 'Svelte', kind: 'code', extensions: ['svelte'] },
  {
    name: 'Shell',
    kind: 'code',
    extensions: ['sh', 'bash', 'zsh', 'fish', 'bats'],
    programs: ['sh', 'bash', 'zsh', 'dash', 'ksh', 'fish', 'bats'],
  },
  { name: 'PowerShell', kind: 'code', extensions: ['ps1', 'psm1'], programs: ['pwsh'] },
  { name: 'Batch', kind: 'code', extensions: ['bat', 'cmd'] },
  { name: 'SQL', kind: 'code', extensions: ['sql'] },
  { name: 'Terraform', kind: 'code', extensions: ['tf', 'tfvars', 'hcl'] },
  { name: 'Nix', kind: 'code', extensions: ['nix'] },
  { name: 'CMake', kind: 'code', extensions: ['cmake'], names: ['cmakelists.txt'] },
  { name: 'Makefile', kind: 'code', extensions: ['mk', 'mak'], names: ['makefile', 'gnumakefile', 'bsdmakefile'], programs: ['make'] },
  { name: 'Dockerfile', kind: 'code', extensions: ['dockerfile'], names: ['dockerfile', 'containerfile'] },
  { name: 'Protocol Buffers', kind: 'code', extensions: ['proto'] },
  { name: 'GraphQL', kind: 'code', extensions: ['graphql', 'gql'] },
  { name: 'QML', kind: 'code', extensions: ['qml'] },
  { name: 'CSS', kind: 'code', extensions: ['css', 'scss', 'sass', 'less', 'styl'] },
  {
    name: 'HTML',
    kind: 'markup',
    extensions: ['html', 'htm', 'xhtml', 'ejs', 'hbs', 'erb', 'haml', 'slim', 'heex', 'eex', 'leex', 'jinja', 'j2', 'twig'],
  },
  { name: 'Markdown', kind: 'markup', extensions: ['md', 'mdx', 'markdown'] },
  {
    name: 'Text',
    kind: 'markup',
    extensions: ['txt', 'rst', 'adoc', 'tex'],
    names: ['readme', 'license', 'notice', 'authors', 'changelog'],
  },
  { name: 'JSON', kind: 'data', extensions: ['json', 'json5', 'jsonc', 'ndjson', 'geojson', 'webmanifest'] },
  { name: 'YAML', kind: 'data', extensions: ['yml', 'yaml'] },
  { name: 'TOML', kind: 'data', extensions: ['toml'], names: ['pipfile'] },
  {
    name: 'XML',
    kind: 'data',
    extensions: ['xml', 'xsd', 'xsl', 'svg', 'csproj', 'fsproj', 'vbproj', 'props', 'targets', 'plist', 'ui', 'qrc'],
  },
  { name: 'INI', kind: 'data', extensions: ['ini', 'cfg', 'conf', 'properties', 'env', 'editorconfig', 'pro', 'pri'] },
  { name: 'CSV', kind: 'data', extensions: ['csv', 'tsv'] },
]
