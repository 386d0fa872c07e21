import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import { readManifests } from './read.ts'

/** Dependencies as `name (key)`, of one manifest. */
async function dependencies(path: string, text: string): Promise<string[]> {
  const root = temporaryFolder()
  writeFiles(root, { [path]: text })
  const { manifests, skipped } = await readManifests({ path: root, targetDir: '.', env: {} }, [path])
  expect(skipped).toEqual([])
  return (manifests[0]?.dependencies ?? []).map((it) => `${it.name} (${it.key})`)
}

describe('dependencies of', () => {
  it('package.json', async () => {
    const text = '\uFEFF{"dependencies":{"React":"1"},"devDependencies":{"@x/y":"1"},"peerDependencies":{"z":"1"}}'
    expect(await dependencies('package.json', text)).toEqual(['react (dependencies)', '@x/y (devDependencies)', 'z (peerDependencies)'])
  })

  it('pyproject.toml: project, extras, groups, poetry, uv', async () => {
    const text = `[project]
dependencies = ["Flask_Login[x]>=1 ; python_version<'4'", "numpy"]
[project.optional-dependencies]
dev = ["pytest>=8"]
[dependency-groups]
lint = ["ruff", { include-group = "x" }]
[tool.uv]
dev-dependencies = ["mypy"]
[tool.poetry.dependencies]
python = "^3"
[tool.poetry.group.test.dependencies]
nose2 = "*"
`
    expect(await dependencies('pyproject.toml', text)).toEqual([
      'flask-login (project.dependencies)',
      'numpy (project.dependencies)',
      'pytest (project.optional-dependencies.dev)',
      'ruff (dependency-groups.lint)',
      'mypy (tool.uv.dev-dependencies)',
      'python (tool.poetry.dependencies)',
      'nose2 (tool.poetry.group.test.dependencies)',
    ])
  })

  it('requirements.txt, setup.py, setup.cfg and Pipfile', async () => {
    expect(await dependencies('requirements-dev.txt', '# tools\npytest==8\n-r base.txt\nDjango\n')).toEqual([
      'pytest (line 2)',
      'django (line 4)',
    ])
    expect(await dependencies('setup.py', "setup(install_requires=['flask>1', 'click'])")).toEqual([
      'flask (install_requires)',
      'click (install_requires)',
    ])
    expect(await dependencies('setup.cfg', '[options]\ninstall_requires =\n  flask>1\n  click\n')).toEqual([
      'flask (install_requires)',
      'click (install_requires)',
    ])
    expect(await dependencies('Pipfile', '[packages]\nflask = "*"\n[dev-packages]\npytest = "*"\n')).toEqual([
      'flask (packages)',
      'pytest (dev-packages)',
    ])
  })

  it('Cargo.toml and go.mod', async () => {
    expect(await dependencies('Cargo.toml', '[dependencies]\naxum = "1"\n[dev-dependencies]\nproptest = { version = "1" }\n')).toEqual([
      'axum (dependencies)',
      'proptest (dev-dependencies)',
    ])
    expect(
      await dependencies('go.mod', 'module x.y/z\n\nrequire github.com/a/b v1.0.0\nrequire (\n\tgorm.io/gorm v1.2.3 // indirect\n)\n'),
    ).toEqual(['github.com/a/b (line 3)', 'gorm.io/gorm (line 5)'])
  })

  it('pom.xml and build.gradle', async () => {
    const pom =
      '<project><parent><groupId>org.springframework.boot</groupId><artifactId>starter</artifactId></parent><dependencies><dependency><groupId>junit</groupId>\n<artifactId>junit</artifactId></dependency></dependencies></project>'
    expect(await dependencies('pom.xml', pom)).toEqual(['org.springframework.boot:starter (parent)', 'junit:junit (dependency)'])
    const gradle =
      "plugins { id 'com.android.application' }\ndependencies {\n  testImplementation 'org.junit.jupiter:junit-jupiter:5.1'\n}\n"
    expect(await dependencies('app/build.gradle', gradle)).toEqual([
      'org.junit.jupiter:junit-jupiter (line 3)',
      'com.android.application:plugin (line 1)',
    ])
  })

  it('Gemfile, gemspec and mix.exs', async () => {
    expect(await dependencies('Gemfile', "source 'x'\ngem 'rails', '~> 7'\n# gem 'old'\n")).toEqual(['rails (line 2)'])
    expect(await dependencies('a.gemspec', "s.add_development_dependency 'rspec'\n")).toEqual(['rspec (line 1)'])
    expect(await dependencies('mix.exs', 'defp deps do\n  [{:phoenix, "~> 1.7"}, \n   {:ecto, "~> 3"}]\nend\n')).toEqual([
      'phoenix (line 2)',
      'ecto (line 3)',
    ])
  })

  it('CMakeLists.txt, conanfile, vcpkg.json, meson and qmake', async () => {
    expect(
      await dependencies('CMakeLists.txt', 'find_package(Qt6 REQUIRED)\ntarget_link_libraries(t PRIVATE GTest::gtest_main)\n'),
    ).toEqual(['qt6 (line 1)', 'gtest (line 2)'])
    expect(await dependencies('conanfile.txt', '[requires]\ngtest/1.14.0\n')).toEqual(['gtest (line 2)'])
    expect(await dependencies('vcpkg.json', '{"dependencies":["fmt",{"name":"boost-asio"}]}')).toEqual([
      'fmt (dependencies)',
      'boost-asio (dependencies)',
    ])
    expect(await dependencies('meson.build', "dependency('gtest')\n")).toEqual(['gtest (line 1)'])
    expect(await dependencies('app.pro', 'QT += core gui\n')).toEqual(['qt (QT)'])
  })

  it('composer.json and project files of .NET', async () => {
    expect(await dependencies('composer.json', '{"require":{"laravel/framework":"^11"}}')).toEqual(['laravel/framework (require)'])
    expect(await dependencies('A.csproj', '<PackageReference Include="xunit" Version="2" />')).toEqual(['xunit (line 1)'])
  })
})

it('names malformed manifests and goes on, the shallowest first', async () => {
  const root = temporaryFolder()
  const files = {
    'deep/package.json': '{"dependencies":{"vue":"3"}}',
    'package.json': '{"dependencies": oops}',
    'list/package.json': '[1]',
    'pyproject.toml': '[project\nx = 1',
    'pom.xml': 'no xml at all',
    'Cargo.toml': 'dependencies = 3',
  }
  writeFiles(root, files)
  const { manifests, skipped } = await readManifests({ path: root, targetDir: '.', env: {} }, Object.keys(files))
  expect(manifests.at(-2)).toMatchObject({ path: 'deep/package.json', dependencies: [{ name: 'vue', key: 'dependencies' }] })
  expect(skipped.map((it) => it.path)).toEqual(['package.json', 'pom.xml', 'pyproject.toml', 'list/package.json'])
  expect(skipped[0]?.reason).toMatch(/^malformed: package\.json is not valid JSON: ./)
  expect(skipped[1]?.reason).toBe('malformed: no <project> element')
  expect(skipped[2]?.reason).toMatch(/^malformed: ./)
  expect(skipped[3]?.reason).toBe('malformed: list/package.json holds no JSON object')
})

function long(piece: string): string {
  return piece.repeat(Math.ceil(900_000 / piece.length))
}

it('reads manifests that were made to keep a pattern busy as quickly as others', async () => {
  const texts: Record<string, string> = {
    'go.mod': `require ${long('a.')}`,
    'build.gradle': `id${long(' ')}`,
    Gemfile: `gem${long(' ')}`,
    'setup.py': long('install_requires=['),
    'pom.xml': `<project>${long('<dependency>')}`,
    'app.pro': long('\n'),
  }
  const root = temporaryFolder()
  writeFiles(root, texts)
  const began = performance.now()
  const { manifests } = await readManifests({ path: root, targetDir: '.', env: {} }, Object.keys(texts))
  expect(manifests).toHaveLength(6)
  expect(performance.now() - began).toBeLessThan(10_000)
})
