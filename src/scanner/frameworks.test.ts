import { expect, it } from 'vitest'
import { FRAMEWORKS, TEST_FRAMEWORKS } from './framework-table.ts'
import { frameworksOf } from './frameworks.ts'
import type { Manifest } from './manifests/read.ts'
import { testFrameworksIn, testFrameworksOf } from './test-frameworks.ts'

function manifest(path: string, ecosystem: Manifest['ecosystem'], ...names: string[]): Manifest {
  return { path, ecosystem, text: '', dependencies: names.map((name) => ({ name, key: 'dependencies' })) }
}

it('names each framework once, with the file and the key that say so', () => {
  const manifests = [manifest('package.json', 'npm', 'react', 'hono'), manifest('web/package.json', 'npm', 'react')]
  expect(frameworksOf(manifests, [])).toEqual([
    { name: 'react', reason: 'package.json: react in dependencies, and 1 more' },
    { name: 'hono', reason: 'package.json: hono in dependencies' },
  ])
})

it('does not mistake a package of another ecosystem', () => {
  expect(frameworksOf([manifest('requirements.txt', 'python', 'express')], [])).toEqual([])
})

it('knows frameworks by their files where no manifest says it', () => {
  expect(frameworksOf([], ['manage.py', 'src/a.py'])).toEqual([{ name: 'django', reason: 'manage.py exists' }])
})

it('knows frameworks of every ecosystem', () => {
  const manifests = [
    manifest('package.json', 'npm', 'next', 'vue', 'svelte', '@angular/core', 'express', 'fastify', '@nestjs/core'),
    manifest('pyproject.toml', 'python', 'django', 'flask', 'fastapi'),
    manifest('Gemfile', 'ruby', 'rails', 'sinatra'),
    manifest('pom.xml', 'jvm', 'org.springframework.boot:spring-boot-starter'),
    manifest('mix.exs', 'elixir', 'phoenix'),
    manifest('go.mod', 'go', 'github.com/gin-gonic/gin'),
    manifest('Cargo.toml', 'rust', 'axum', 'actix-web'),
    manifest('CMakeLists.txt', 'native', 'qt6'),
  ]
  expect(frameworksOf(manifests, []).map((it) => it.name)).toEqual(
    'next angular vue svelte express fastify nestjs django flask fastapi rails sinatra phoenix gin axum actix spring qt'.split(' '),
  )
})

it('has no entry twice', () => {
  const names = [...FRAMEWORKS, ...TEST_FRAMEWORKS].map((it) => it.name)
  expect(names.filter((it, at) => names.indexOf(it) !== at)).toEqual([])
})

it('knows test frameworks by manifest, by configuration file and by what texts say, each once', () => {
  const manifests = [manifest('package.json', 'npm', 'vitest'), manifest('pyproject.toml', 'python', 'pytest')]
  const byText = [
    ...testFrameworksIn('a.test.ts', "import { it } from 'vitest'\n"),
    ...testFrameworksIn('b.test.js', "require('node:test')"),
  ]
  expect(testFrameworksOf(manifests, ['jest.config.js'], byText)).toEqual([
    { name: 'vitest', reason: 'package.json: vitest in dependencies' },
    { name: 'jest', reason: 'jest.config.js exists' },
    { name: 'pytest', reason: 'pyproject.toml: pytest in dependencies' },
    { name: 'node:test', reason: 'b.test.js imports node:test' },
  ])
})

it('knows the test frameworks that come with a language', () => {
  const texts: Record<string, string> = {
    'package.json': '{"scripts":{"test":"node --test"}}',
    'test_a.py': 'class A(unittest.TestCase): pass',
    'a_test.go': 'package a',
    'src/lib.rs': '#[cfg(test)]\nmod tests {}',
    'test/test_helper.exs': 'ExUnit.start()',
    'test/a_test.rb': 'class A < Minitest::Test',
    'ATest.java': 'import org.junit.jupiter.api.Test;',
    'a_test.cc': '#include <gtest/gtest.h>',
    'CMakeLists.txt': 'enable_testing()',
    'a.bats': '@test "x" { }',
  }
  const names = Object.entries(texts).flatMap(([path, text]) => testFrameworksIn(path, text).map((it) => it.name))
  expect(names).toEqual(['node:test', 'unittest', 'go test', 'cargo test', 'exunit', 'minitest', 'junit', 'googletest', 'ctest', 'bats'])
})
