/** Where tests live, by language, as data. A file is a test when one of these fits; `test-layout.ts` is the code that reads it. */
export interface TestConvention {
  language: string
  /** Against the file name alone. */
  name: RegExp
}

const JS = String.raw`\.(?:[cm]?[jt]s|[jt]sx)$`
const C = String.raw`\.(?:c|cc|cpp|cxx|c\+\+|h|hh|hpp|hxx)$`

/** File names that say "test" wherever the file lies. */
export const TEST_NAMES: readonly TestConvention[] = [
  // The first two are what jest and vitest collect, the rest what node:test collects.
  { language: 'JavaScript', name: new RegExp(String.raw`\.(?:test|tests|spec|cy|e2e|test-d|bench)${JS}`) },
  { language: 'JavaScript', name: new RegExp(String.raw`.[-_](?:test|spec)${JS}`) },
  { language: 'JavaScript', name: new RegExp(String.raw`^(?:test-.+|tests?)${JS}`) },
  { language: 'JavaScript', name: /^(?:vitest|jest)\.setup\.[cm]?[jt]s$|^setup-?[tT]ests\.[cm]?[jt]s$/ },
  { language: 'Python', name: /^(?:test_.*|.*_tests?|tests|conftest)\.pyi?$/ },
  { language: 'C', name: new RegExp(String.raw`^test[-_].*${C}|.[-_](?:unit)?tests?${C}|[a-z0-9]Tests?${C}`) },
  { language: 'Go', name: /_test\.go$/ },
  { language: 'Rust', name: /^(?:tests?|.*_tests?|test_.*)\.rs$/ },
  // Surefire's defaults, and `*IT` of failsafe.
  { language: 'Java', name: /^(?:Test[A-Z0-9].*|.*[A-Za-z0-9](?:Tests?|TestCase|IT|Spec))\.(?:java|kt|scala|groovy)$/ },
  { language: 'Ruby', name: /^(?:.*_spec|.*_test|test_.*|spec_helper|rails_helper)\.rb$/ },
  { language: 'Elixir', name: /_test\.exs$|^test_helper\.exs$/ },
  { language: 'C#', name: /[A-Za-z0-9](?:Tests?|Spec)\.cs$/ },
  { language: 'PHP', name: /[A-Za-z0-9]Test\.php$|^.*\.phpt$/ },
  { language: 'Swift', name: /[A-Za-z0-9]Tests?\.swift$/ },
  { language: 'Dart', name: /_test\.dart$/ },
  { language: 'Shell', name: /\.bats$|^test[-_].*\.sh$|.[-_]test\.sh$/ },
  { language: 'Perl', name: /\.t$/ },
  { language: 'Snapshot', name: /\.(?:snap|ambr)$/ },
]

/** Folders (any depth, compared in lower case) in which everything is a test, a fixture or a snapshot. */
export const TEST_FOLDERS: ReadonlySet<string> = new Set([
  'test',
  'tests',
  '__tests__',
  '__test__',
  '__mocks__',
  '__fixtures__',
  '__snapshots__',
  'testdata',
  'test-data',
  'test_data',
  'unittest',
  'unittests',
  'e2e',
  'cypress',
  'androidtest',
  'integrationtest',
  'integration-tests',
  'integration_tests',
])

/** Folders that are tests only at the root of a project: deeper down the same names hold seed data or specifications of formats. */
export const ROOT_TEST_FOLDERS: ReadonlySet<string> = new Set(['fixtures', 't'])

/** `spec/` is RSpec's and Jasmine's folder, but also the place of OpenAPI documents: only code and RSpec's own parts count. */
export const SPEC_FOLDERS: ReadonlySet<string> = new Set(['spec', 'specs'])
export const SPEC_CODE = /\.(?:rb|rake|[cm]?[jt]s|[jt]sx|cr|lua|php|exs?)$/
export const SPEC_PARTS: ReadonlySet<string> = new Set(['fixtures', 'support', 'factories', 'cassettes'])
