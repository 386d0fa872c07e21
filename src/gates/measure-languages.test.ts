import { describe, expect, it } from 'vitest'
import { filesOf, makeCheckout, measureGate, outline } from '../../test/support/checkout.ts'
import { itNeeds } from '../../test/support/needs.ts'
import { git } from '../../test/support/repository.ts'

describe('cargo', () => {
  const files = {
    'Cargo.toml': '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n',
    'src/lib.rs':
      '/// ```\n/// assert_eq!(demo::add(1, 2), 3);\n/// ```\npub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn adds() {\n        assert_eq!(add(1, 2), 3);\n    }\n    #[test]\n    fn wrong() {\n        assert_eq!(add(1, 2), 4);\n    }\n    #[test]\n    fn breaks() {\n        None::<i32>.unwrap();\n    }\n    #[test]\n    #[ignore = "later"]\n    fn later() {}\n}\n',
    'tests/outer.rs': '#[test]\nfn holds() {\n    assert!(demo::add(1, 1) == 2);\n}\n',
  }

  itNeeds('cargo')('names each test with its class and keeps the tree clean', async () => {
    const checkout = makeCheckout(files)
    git(checkout.path, 'init', '-q')
    const measured = await measureGate(checkout, 'tests')
    expect(outline(measured)).toEqual([
      'demo (doc) > src/lib.rs - add | passed',
      'demo > tests > adds | passed',
      'demo > tests > breaks | failed | error',
      'demo > tests > later | skipped',
      'demo > tests > wrong | failed | assertion',
      'outer > holds | passed',
    ])
    expect(measured.cases?.find((it) => it.failure === 'assertion')).toMatchObject({ file: 'src/lib.rs', line: 17 })
    expect(git(checkout.path, 'status', '--porcelain', '-uall').split('\n')).toEqual(
      expect.arrayContaining(['?? Cargo.toml', '?? src/lib.rs']),
    )
    expect(git(checkout.path, 'status', '--porcelain', '-uall')).not.toMatch(/build-reeve|target/)
  })

  itNeeds('cargo')('names the file and line that do not compile', async () => {
    const checkout = makeCheckout({ ...files, 'tests/outer.rs': '#[test]\nfn holds() {\n    assert!(demo::absent());\n}\n' })
    expect(outline(await measureGate(checkout, 'tests'))).toContain('tests/outer.rs | failed | error')
    const lib = makeCheckout({ ...files, 'src/lib.rs': 'pub fn add() -> i32 {\n    "text"\n}\n' })
    const build = await measureGate(lib, 'build')
    expect(build).toMatchObject({ status: 'failed', findings: [{ file: 'src/lib.rs', line: 2, rule: 'E0308' }] })
  })
})

describe('go', () => {
  const files = {
    'go.mod': 'module example.com/demo\n\ngo 1.19\n',
    'calc.go': 'package demo\n\nfunc Add(a, b int) int { return a + b }\n\nfunc Unused() int {\n\treturn 1\n}\n',
    'calc_test.go':
      'package demo\n\nimport "testing"\n\nfunc TestAdds(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Fatal("wrong")\n\t}\n}\n\nfunc TestTable(t *testing.T) {\n\tt.Run("good", func(t *testing.T) {})\n\tt.Run("bad one", func(t *testing.T) {\n\t\tt.Errorf("got %d", Add(1, 2))\n\t})\n}\n\nfunc TestLater(t *testing.T) { t.Skip("later") }\n',
    'deep/deep_test.go': 'package deep\n\nimport "testing"\n\nfunc TestPanics(t *testing.T) {\n\tvar m map[string]int\n\tm["a"] = 1\n}\n',
    'broken/broken_test.go': 'package broken\n\nimport "testing"\n\nfunc TestX(t *testing.T) { absent() }\n',
  }

  itNeeds(['go', 'version'])('names each test with its class, and the file that does not compile', async () => {
    const checkout = makeCheckout(files)
    const measured = await measureGate(checkout, 'tests')
    expect(outline(measured)).toEqual([
      'broken/broken_test.go | failed | error',
      'example.com/demo > TestAdds | passed',
      'example.com/demo > TestLater | skipped',
      'example.com/demo > TestTable > bad_one | failed | assertion',
      'example.com/demo > TestTable > good | passed',
      'example.com/demo/deep > TestPanics | failed | error',
    ])
    expect(measured.cases?.find((it) => it.failure === 'assertion')).toMatchObject({ file: 'calc_test.go', line: 14 })
    expect(measured.cases?.find((it) => it.name.endsWith('TestPanics'))).toMatchObject({ file: 'deep/deep_test.go', line: 7 })
  })

  itNeeds(['go', 'version'])('runs the package of the tests that are asked for', async () => {
    const measured = await measureGate(makeCheckout(files), 'tests', { onlyTests: ['deep/deep_test.go'] })
    expect(outline(measured)).toEqual(['example.com/demo/deep > TestPanics | failed | error'])
  })

  itNeeds(['go', 'version'])('measures the lines that tests reach, and builds without leaving a program', async () => {
    const { 'broken/broken_test.go': _, 'deep/deep_test.go': __, ...good } = files
    const checkout = makeCheckout({
      ...good,
      'calc_test.go': 'package demo\n\nimport "testing"\n\nfunc TestAdds(t *testing.T) { Add(1, 2) }\n',
    })
    const before = filesOf(checkout)
    const measured = await measureGate(checkout, 'coverage')
    expect(measured).toMatchObject({ status: 'passed' })
    expect(measured.coverage?.files.find((it) => it.path === 'calc.go')?.lines).toMatchObject({ 3: 1, 6: 0 })
    const program = makeCheckout({ 'go.mod': files['go.mod'], 'main.go': 'package main\n\nfunc main() {}\n' })
    expect(await measureGate(program, 'build')).toMatchObject({ status: 'passed' })
    expect(filesOf(program)).toEqual(['go.mod', 'main.go'])
    expect(filesOf(checkout)).toEqual(before)
  })

  itNeeds(['go', 'version'])('says what does not build', async () => {
    const checkout = makeCheckout({ 'go.mod': files['go.mod'], 'calc.go': 'package demo\n\nfunc Add() int {\n\treturn absent\n}\n' })
    const measured = await measureGate(checkout, 'build')
    expect(measured).toMatchObject({ status: 'failed', findings: [{ file: 'calc.go', line: 4 }] })
  })
})

describe('mix', () => {
  const files = {
    'mix.exs': 'defmodule Demo.MixProject do\n  use Mix.Project\n  def project, do: [app: :demo, version: "0.1.0", deps: []]\nend\n',
    'lib/demo.ex': 'defmodule Demo do\n  def add(a, b), do: a + b\nend\n',
    'test/test_helper.exs': 'ExUnit.start()\n',
    'test/demo_test.exs':
      'defmodule DemoTest do\n  use ExUnit.Case\n\n  describe "add" do\n    test "adds", do: assert(Demo.add(1, 2) == 3)\n    test "wrong", do: assert(Demo.add(1, 2) == 4)\n  end\n\n  test "absent", do: Demo.nope()\n  @tag :skip\n  test "later", do: :ok\nend\n',
  }

  itNeeds('mix', 'elixir')('names each test with its class', async () => {
    const measured = await measureGate(makeCheckout(files), 'tests')
    expect(outline(measured)).toEqual([
      'DemoTest > absent | failed | error',
      'DemoTest > add adds | passed',
      'DemoTest > add wrong | failed | assertion',
      'DemoTest > later | skipped',
    ])
    expect(measured.cases?.find((it) => it.failure === 'assertion')).toMatchObject({ file: 'test/demo_test.exs', line: 6 })
  })

  itNeeds('mix', 'elixir')('names the test file that does not compile', async () => {
    const measured = await measureGate(
      makeCheckout({ ...files, 'test/broken_test.exs': 'defmodule BrokenTest do\n  use ExUnit.Case\n  test "x", do: absent()\nend\n' }),
      'tests',
    )
    expect(outline(measured)).toEqual(['test/broken_test.exs | failed | error'])
  })
})

describe('ruby', () => {
  const spec =
    "describe 'add' do\n  it('adds') { expect(1 + 2).to eq(3) }\n  it('wrong') { expect(1 + 2).to eq(4) }\n  it('absent') { nothing }\n  xit('later') {}\nend\n"

  itNeeds('rspec')('reads rspec: each test with its class', async () => {
    const measured = await measureGate(makeCheckout({ '.rspec': '', 'spec/add_spec.rb': spec }), 'tests')
    expect(outline(measured)).toEqual([
      'spec/add_spec.rb > add absent | failed | error',
      'spec/add_spec.rb > add adds | passed',
      'spec/add_spec.rb > add later | skipped',
      'spec/add_spec.rb > add wrong | failed | assertion',
    ])
    expect(measured.cases?.find((it) => it.failure === 'assertion')).toMatchObject({ line: 3 })
  })

  itNeeds('rspec')('names the spec file that cannot be loaded', async () => {
    const measured = await measureGate(makeCheckout({ '.rspec': '', 'spec/add_spec.rb': "require 'absent_library'\n" }), 'tests')
    expect(outline(measured)).toEqual(['spec/add_spec.rb | failed | error'])
  })

  itNeeds(['ruby', '-rminitest', '-e', '1'], 'rake')('reads minitest: each test with its class', async () => {
    const test =
      "require 'minitest/autorun'\nclass TestAdd < Minitest::Test\n  def test_adds; assert_equal 3, 1 + 2; end\n  def test_wrong\n    assert_equal 4, 1 + 2\n  end\n  def test_absent; nothing; end\n  def test_later; skip 'later'; end\nend\n"
    const rake = "require 'rake/testtask'\nRake::TestTask.new(:test) { |t| t.pattern = 'test/test_*.rb' }\n"
    for (const files of [{ Rakefile: rake }, { '.rspec': '' }]) {
      const measured = await measureGate(makeCheckout({ ...files, 'test/test_add.rb': test }), 'tests')
      expect(outline(measured)).toEqual([
        'TestAdd > test_absent | failed | error',
        'TestAdd > test_adds | passed',
        'TestAdd > test_later | skipped',
        'TestAdd > test_wrong | failed | assertion',
      ])
      expect(measured.cases?.find((it) => it.failure === 'assertion')).toMatchObject({ file: 'test/test_add.rb', line: 5 })
    }
  })

  itNeeds('rubocop')('reads rubocop', async () => {
    const measured = await measureGate(makeCheckout({ '.rubocop.yml': 'AllCops:\n  NewCops: enable\n', 'a.rb': 'x=1\n' }), 'lint')
    expect(measured).toMatchObject({ status: 'failed', tool: 'rubocop', exitCode: 1 })
    expect(measured.findings).toContainEqual(
      expect.objectContaining({ file: 'a.rb', line: 1, rule: 'Layout/SpaceAroundOperators', severity: 'error' }),
    )
  })
})

describe('coverage of C', () => {
  itNeeds('cmake', 'gcovr')('is measured by gcov', async () => {
    const checkout = makeCheckout({
      'CMakeLists.txt':
        'cmake_minimum_required(VERSION 3.14)\nproject(demo C)\nenable_testing()\nadd_executable(check check.c)\nadd_test(NAME check COMMAND check)\n',
      'check.c': 'int unused(void) {\n  return 1;\n}\nint main(void) {\n  return 0;\n}\n',
    })
    const measured = await measureGate(checkout, 'coverage')
    expect(measured).toMatchObject({ status: 'passed' })
    expect(measured.coverage?.files.find((it) => it.path === 'check.c')?.lines).toMatchObject({ 2: 0, 5: 1 })
  })
})

describe('a tool that is not there', () => {
  it('is not run, and says what to install', async () => {
    const checkout = makeCheckout({ 'Cargo.toml': '[package]\nname = "demo"\n', 'build.gradle': '' })
    const bare = { ...checkout, env: { ...checkout.env, PATH: '/nonexistent' } }
    expect(await measureGate(bare, 'build')).toMatchObject({
      status: 'not_run',
      problem: 'cargo was not found. Install Rust with its cargo.',
      cases: null,
    })
  })
})
