import { describe, expect, it } from 'vitest'
import type { Manifest } from './manifests/read.ts'
import { packageManagersOf } from './package-managers.ts'

function found(files: readonly string[], texts: Readonly<Record<string, string>> = {}): string[] {
  const manifests: Manifest[] = Object.entries(texts).map(([path, text]) => ({ path, text, ecosystem: 'npm', dependencies: [] }))
  return packageManagersOf(manifests, files).map((it) => `${it.name} ${it.manifest} ${it.lockfile}: ${it.reason}`)
}

describe('package managers', () => {
  it('are told by their lockfile', () => {
    expect(found(['package.json', 'pnpm-lock.yaml'])).toEqual(['pnpm package.json pnpm-lock.yaml: package.json with pnpm-lock.yaml'])
    expect(found(['package.json', 'yarn.lock'])[0]).toMatch(/^yarn /)
    expect(found(['package.json', 'bun.lock'])[0]).toMatch(/^bun /)
    expect(found(['package.json', 'package-lock.json'])[0]).toMatch(/^npm /)
    expect(found(['pyproject.toml', 'uv.lock'])[0]).toMatch(/^uv /)
    expect(found(['pyproject.toml', 'poetry.lock'])[0]).toMatch(/^poetry /)
    expect(found(['Pipfile', 'Pipfile.lock'])[0]).toMatch(/^pipenv Pipfile Pipfile\.lock/)
  })

  it('are told by a word of the manifest where there is no lockfile', () => {
    expect(found(['package.json'], { 'package.json': '{"packageManager": "yarn@4.1.0"}' })).toEqual([
      'yarn package.json null: packageManager in package.json',
    ])
    expect(found(['pyproject.toml'], { 'pyproject.toml': '[tool.poetry]\nname = "x"\n' })).toEqual([
      'poetry pyproject.toml null: [tool.poetry] in pyproject.toml',
    ])
  })

  it('are the usual one otherwise', () => {
    expect(found(['package.json'])).toEqual(['npm package.json null: package.json, no lockfile'])
    expect(found(['pyproject.toml'])).toEqual(['pip pyproject.toml null: pyproject.toml exists'])
    expect(found(['requirements.txt'])).toEqual(['pip requirements.txt null: requirements.txt exists'])
  })

  it('are found for every language', () => {
    const files =
      'Cargo.toml Cargo.lock go.mod go.sum pom.xml build.gradle.kts mix.exs mix.lock Gemfile Gemfile.lock CMakeLists.txt conanfile.txt vcpkg.json'
    expect(found(files.split(' ')).map((it) => it.split(':')[0])).toEqual([
      'cargo Cargo.toml Cargo.lock',
      'go modules go.mod go.sum',
      'maven pom.xml null',
      'gradle build.gradle.kts null',
      'mix mix.exs mix.lock',
      'bundler Gemfile Gemfile.lock',
      'cmake CMakeLists.txt null',
      'conan conanfile.txt null',
      'vcpkg vcpkg.json null',
    ])
  })

  it('of a workspace are named once, packages with a lockfile of their own besides', () => {
    const files = [
      'package.json',
      'package-lock.json',
      'a/package.json',
      'b/package.json',
      'b/yarn.lock',
      'CMakeLists.txt',
      'src/CMakeLists.txt',
    ]
    expect(found(files).map((it) => it.split(':')[0])).toEqual([
      'npm package.json package-lock.json',
      'yarn b/package.json b/yarn.lock',
      'cmake CMakeLists.txt null',
    ])
  })

  it('of two projects side by side are both named', () => {
    expect(found(['a/package.json', 'ab/package.json']).map((it) => it.split(':')[0])).toEqual([
      'npm a/package.json null',
      'npm ab/package.json null',
    ])
  })

  it('are none without manifests', () => {
    expect(found(['README.md'])).toEqual([])
  })
})
