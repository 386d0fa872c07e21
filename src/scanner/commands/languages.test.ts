import { describe, expect, it } from 'vitest'
import { argvs, detect, of, pack } from '../../../test/support/detecting.ts'

const found = async (files: Record<string, string>) => (await detect(files)).map((it) => `${it.gate} ${it.tool}`)
const build = async (files: Record<string, string>) => of(await detect({ 'Cargo.toml': '', ...files }), 'build')?.buildFolder

describe('other languages', () => {
  it('builds C and C++ in a folder of its own and tests it when tests are declared', async () => {
    const commands = await detect({
      'CMakeLists.txt': 'project(x)\nadd_subdirectory(t)\n',
      't/CMakeLists.txt': 'add_test(NAME a COMMAND a)\n',
    })
    expect(commands.map((it) => `${it.gate} ${it.tool} ${it.buildFolder?.path} ${it.buildFolder?.fresh}`)).toEqual([
      'build cmake build-reeve true',
      'tests ctest build-reeve false',
      'coverage gcovr build-reeve-coverage true',
    ])
    expect(argvs(await detect({ 'CMakeLists.txt': 'project(x)\n' })).map((it) => it.split(':')[0])).toEqual(['build'])
  })

  it('takes the targets that a Makefile has', async () => {
    expect(
      argvs(await detect({ Makefile: 'CC := gcc\nprog: main.c\n\tcc main.c\n\ncheck: prog\n\t./prog\n\n.PHONY: check\n%.o: %.c\n\tcc\n' })),
    ).toEqual(['build: make', 'tests: make check'])
    expect(argvs(await detect({ Makefile: 'help:\n\techo\ntest lint:\n\techo\n' }))).toEqual(['lint: make lint', 'tests: make test'])
    expect(argvs(await detect({ Makefile: '', 'README.md': '' }))).toEqual([])
  })

  it('lets a Makefile speak only for gates that nothing else has', async () => {
    const commands = await detect({ 'package.json': pack({ test: 'vitest run' }), Makefile: 'build:\n\tx\ntest:\n\ty\n' })
    expect(argvs(commands)[0]).toBe('build: make build')
    expect(commands.filter((it) => it.gate === 'tests').map((it) => it.tool)).toEqual(['vitest'])
  })

  it('takes the recipes of a justfile', async () => {
    expect(argvs(await detect({ justfile: 'x := "1"\ndefault:\n  echo\ntest arg="a": build\n  echo\n@lint:\n  echo\n' }))).toEqual([
      'lint: just lint',
      'tests: just test',
    ])
  })

  it('goes by go.mod, Cargo.toml, pom.xml, build.gradle, mix.exs and Gemfile', async () => {
    expect(await found({ 'go.mod': 'module x\n', 'a_test.go': '' })).toEqual([
      'build go-build',
      'lint go-vet',
      'tests go-test',
      'coverage go-cover',
    ])
    expect(await found({ 'go.mod': 'module x\n', '.golangci.yml': '' })).toEqual(['build go-build', 'lint golangci-lint'])
    expect(await found({ 'Cargo.toml': '[workspace]\n' })).toEqual([
      'build cargo-build',
      'lint cargo-clippy',
      'tests cargo-test',
      'coverage cargo-llvm-cov',
    ])
    expect(await found({ 'pom.xml': '<artifactId>jacoco-maven-plugin</artifactId>' })).toEqual([
      'build maven-build',
      'tests maven',
      'coverage jacoco',
    ])
    expect(await found({ 'build.gradle.kts': 'plugins { jacoco }', gradlew: '' })).toEqual([
      'build gradle-build',
      'tests gradle',
      'coverage jacoco',
    ])
    expect(await found({ 'mix.exs': '{:credo, "~> 1.7"}' })).toEqual(['build mix-compile', 'lint credo', 'tests mix'])
    expect(await found({ Gemfile: "gem 'rspec'\ngem 'rubocop'\n", 'spec/a_spec.rb': '' })).toEqual(['lint rubocop', 'tests rspec'])
    expect(await found({ Rakefile: 'Rake::TestTask.new', 'test/test_a.rb': '' })).toEqual(['tests minitest'])
  })

  it('keeps the target folder of cargo out of a tree that does not ignore it', async () => {
    expect(await build({})).toEqual({ path: 'build-reeve', fresh: false })
    expect(await build({ '.gitignore': '/target\n' })).toBeUndefined()
  })

  it('uses the wrapper that a Java project brings', async () => {
    expect(of(await detect({ 'pom.xml': '', mvnw: '' }), 'tests')).toMatchObject({
      argv: ['./mvnw', '-B', '-ntp', '{tests}', 'test'],
      needs: { program: './mvnw' },
    })
  })
})

it('looks through files that were made to keep a pattern busy as quickly as through others', async () => {
  const began = performance.now()
  await detect({ Makefile: `all:\n\ttrue\na${' '.repeat(900_000)}`, 'setup.py': '', 'tests/test_a.py': '\n'.repeat(900_000) })
  expect(performance.now() - began).toBeLessThan(10_000)
})
