import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { User } from './managers.ts'
import { addedHosts, type Files, registriesOf } from './registries.ts'
import { sanitizedConfig, withoutCredentials } from './sanitized-config.ts'
import { theUser } from './user.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

function files(texts: Readonly<Record<string, string>>): Files {
  return { paths: Object.keys(texts), read: async (path) => texts[path] ?? null }
}

/** A user with these files in their home; `says` answers for their tools, by the words of a call. */
async function user(home: Readonly<Record<string, string>> = {}, env: User['env'] = {}, says: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'reeve-home-'))
  cleanups.push(() => rm(folder, { recursive: true }))
  for (const [path, text] of Object.entries(home)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text.replaceAll('@HOME@', folder))
  }
  const asked: string[] = []
  const made: User = {
    env,
    home: folder,
    machine: [join(folder, 'etc')],
    run: async (argv) => {
      asked.push(argv.join(' '))
      return Object.entries(says).find(([words]) => argv.join(' ').startsWith(words))?.[1] ?? null
    },
  }
  return { ...made, asked }
}

const NPM = { 'npm config get registry': 'https://default.test/\n' }

async function hostsOf(texts: Readonly<Record<string, string>>, ...made: Parameters<typeof user>): Promise<string[]> {
  const { hosts } = await registriesOf(files(texts), await user(...made))
  return hosts.map((it) => `${it.host}:${it.port}${it.own ? ' own' : ''}`).toSorted()
}

describe('registries of a project', () => {
  it.each([
    [
      'package-lock.json',
      '"resolved": "https://a.test/x/-/x-1.0.0.tgz",\n"resolved": "git+https://b.test/x.git#1",\n"resolved": "git+ssh://git@c.test/x"',
    ],
    ['npm-shrinkwrap.json', '"resolved": "https://a.test/x.tgz", "funding": {"url": "https://c.test"}, "resolved": "https://b.test/y.tgz"'],
    ['web/yarn.lock', '"x@^1":\n  version "1"\n  resolved "https://a.test/x.tgz#1"\n  resolved "https://b.test/y.tgz"\n'],
    ['yarn.lock', 'x:\n  resolution: "x@https://a.test/x.tgz"\n  resolution: "y@npm:1.0.0::__archiveUrl=https%3A%2F%2Fb.test%2Fy.tgz"\n'],
    [
      'pnpm-lock.yaml',
      "resolution: {integrity: sha512-x, tarball: https://a.test/x.tgz}\nresolution: {repo: 'https://b.test/x.git', commit: 1}",
    ],
    ['bun.lock', '{\n    "x": ["x@1.0.0", "https://a.test/x.tgz", {}, "sha512"],\n    "y": ["y@https://b.test/y.tgz", {}]\n}'],
    [
      '.yarn/releases/yarn-4.1.0.cjs',
      'npmRegistryServer:{description:"x",type:"STRING",default:"https://a.test"},npmRegistryServer:{default:`https://b.test`}',
    ],
    ['uv.lock', 'source = { registry = "https://a.test/simple" }\nsdist = { url = "https://b.test/x.tar.gz", hash = "x" }'],
    ['poetry.lock', '[package.source]\ntype = "legacy"\nurl = "https://a.test/simple"\n[package.source]\nurl = "https://b.test/x"'],
    ['pdm.lock', 'files = [\n  {url = "https://a.test/x.whl"},\n  {url = "https://b.test/x.whl"},\n]'],
    ['pylock.toml', 'index = "https://a.test/simple"\nwheels = [{ url = "https://b.test/x.whl" }]'],
    ['Pipfile.lock', '"sources": [{"name": "x", "url": "https://a.test/simple"}], "file": "https://b.test/x.whl"'],
    ['requirements-dev.txt', '# https://c.test\n--index-url https://a.test/simple\nx @ git+https://b.test/x.git@v1\ny==1'],
    ['Cargo.lock', 'source = "registry+https://a.test/index"\nsource = "sparse+https://b.test/index/"'],
    ['Gemfile.lock', 'GEM\n  remote: https://a.test/\nGIT\n  remote: https://b.test/x.git\n'],
    ['mix.lock', '"x": {:git, "https://a.test/x.git", "1", []},\n"y": {:git, "https://b.test/y.git", "1", []}'],
    [
      'composer.lock',
      '{"packages":[{"dist":{"url":"https://a.test/x.zip"},"source":{"url":"https://b.test/x.git"},"funding":[{"url":"https://c.test"}]}]}',
    ],
    [
      'pom.xml',
      '<repository><id>x</id><url>https://a.test/m2</url></repository><!--<repository><url>https://c.test</url></repository>--><pluginRepository><url>https://b.test</url></pluginRepository><distributionManagement><repository><url>https://c.test</url></repository></distributionManagement>',
    ],
    ['build.gradle.kts', 'maven { url = uri("https://a.test/m2") }\nmaven("https://b.test/m2")'],
    ['gradle/wrapper/gradle-wrapper.properties', 'distributionUrl=https\\://a.test/g.zip\nwrapperUrl=https\\://b.test/w.jar'],
    ['Package.resolved', '{"pins":[{"location" : "https://a.test/x.git"},{"location":"https://b.test/y"}]}'],
    ['pubspec.lock', '      url: "https://a.test"\n      url: "https://b.test"'],
  ])('are the hosts that %s names', async (path, text) => {
    expect(await hostsOf({ [path]: text })).toEqual(['a.test:443', 'b.test:443'])
  })

  it('says who named each', async () => {
    const lock = { 'package-lock.json': '"resolved": "https://a.test/x.tgz"' }
    const { hosts } = await registriesOf(files(lock), await user({ '.npmrc': 'registry=https://mine.test/\n' }, {}, NPM))
    expect(hosts).toEqual([
      { host: 'mine.test', port: 443, own: true, because: 'your configuration of npm' },
      { host: 'a.test', port: 443, own: false, because: 'package-lock.json' },
      { host: 'default.test', port: 443, own: false, because: 'npm itself' },
    ])
  })

  it.each([
    ['npm', 'package-lock.json', NPM, ['default.test:443']],
    ['pnpm', 'pnpm-lock.yaml', { 'pnpm config get registry': 'https://default.test/' }, ['default.test:443']],
    [
      'an old yarn',
      'yarn.lock',
      { 'yarn config get registry': 'https://default.test\n', 'yarn config get npmRegistryServer': 'undefined' },
      ['default.test:443'],
    ],
    [
      'pip',
      'requirements.txt',
      { 'python3 -c': 'https://default.test/simple\nhttps://files.test\n' },
      ['default.test:443', 'files.test:443'],
    ],
    ['go', 'go.sum', { 'go env GOPROXY GOSUMDB': 'https://default.test,direct\nsum.test\n' }, ['default.test:443', 'sum.test:443']],
    ['bundler', 'Gemfile.lock', { ruby: 'https://index.a.test/\n' }, ['a.test:443', 'index.a.test:443']],
    ['hex', 'mix.lock', { 'mix hex.repo list': 'hexpm  https://default.test  SHA256:x' }, ['default.test:443']],
  ] as const)('are those that %s says it uses', async (_, path, says, expected) => {
    const text = path === 'Gemfile.lock' ? 'GEM\n  remote: https://a.test/\n' : ''
    expect(await hostsOf({ [path]: text }, {}, {}, says)).toEqual(expected)
  })

  it('are those that cargo keeps beside its index', async () => {
    const home = {
      '.cargo/registry/index/index.test-0123456789abcdef/config.json':
        '{"dl":"https://files.test/crates/{crate}","api":"https://api.test"}',
    }
    expect(await hostsOf({ 'Cargo.lock': '' }, home)).toEqual(['files.test:443', 'index.test:443'])
  })

  it('are those of the sparse index that a lockfile of cargo names by its repository', async () => {
    const text = 'source = "registry+https://code.test/rust/crates.test-index"\n'
    expect(await hostsOf({ 'Cargo.lock': text }, {})).toEqual(['code.test:443', 'index.crates.test:443', 'static.crates.test:443'])
  })

  it('are the hosts of the modules where go fetches them directly', async () => {
    const text = 'module me.test/x\nrequire (\n\tcode.test/a/b v1.2.3\n\tgolang.test/x v0.1.0 // indirect\n)\nrequire one.test/c v1.0.0\n'
    const says = { 'go env': 'direct\noff\n' }
    expect(await hostsOf({ 'go.mod': text }, {}, {}, says)).toEqual(['code.test:443', 'golang.test:443', 'one.test:443'])
  })

  it('are those of the managers of a project without lockfiles', async () => {
    const says = { ...NPM, 'python3 -c': 'https://index.test/simple\n' }
    expect(await hostsOf({ 'package.json': '{}', 'tools/pyproject.toml': '' }, {}, {}, says)).toEqual([
      'default.test:443',
      'index.test:443',
    ])
  })

  it('asks only managers whose files are there', async () => {
    const who = await user({}, {}, NPM)
    await registriesOf(
      files({ 'package-lock.json': '', 'node_modules/x/go.sum': '', 'test/fixtures/x/Cargo.lock': '', 'README.md': '' }),
      who,
    )
    expect(who.asked).toEqual(['npm config get registry'])
  })

  it.each([
    [
      '.npmrc',
      'registry=http://10.1.2.3:8081/npm\n@co:registry = "https://co.test/"\n//co.test/:_authToken=x',
      'package-lock.json',
      ['10.1.2.3:8081 own', 'co.test:443 own'],
    ],
    ['etc/npmrc', 'registry=http://nexus:8081/\n', 'package-lock.json', ['nexus:8081 own']],
    ['.yarnrc.yml', 'npmRegistryServer: "http://nexus:8081"\n', 'yarn.lock', ['nexus:8081 own']],
    [
      '.config/pip/pip.conf',
      '[global]\nindex-url = https://mine.test/simple\nextra-index-url =\n  http://other:80/simple\nproxy = http://proxy.test:3128\n',
      'requirements.txt',
      ['mine.test:443 own', 'other:80 own'],
    ],
    ['.config/go/env', 'GOPROXY=https://mine.test|direct\nGOSUMDB=off\n', 'go.mod', ['mine.test:443 own']],
    [
      '.cargo/config.toml',
      '[source.x]\nregistry = "sparse+https://mine.test/index/"\n[http]\nproxy = "http://proxy.test:1"\n',
      'Cargo.lock',
      ['mine.test:443 own'],
    ],
    [
      '.bundle/config',
      'BUNDLE_MIRROR__HTTPS://X/: "https://mine.test"\nBUNDLE_GEM__PUSH: "https://c.test"\n',
      'Gemfile.lock',
      ['mine.test:443 own'],
    ],
    ['.m2/settings.xml', '<mirror><url>https://mine.test/m2</url></mirror>', 'pom.xml', ['mine.test:443 own']],
  ] as const)('are those of the user: %s', async (path, text, lock, expected) => {
    expect(await hostsOf({ [lock]: '' }, { [path]: text })).toEqual(expected)
  })

  it.each([
    ['npm_config_registry', 'http://localhost:4873/', 'package-lock.json', ['localhost:4873 own']],
    ['npm_config_@co:registry', 'https://co.test', 'package-lock.json', ['co.test:443 own']],
    ['PIP_EXTRA_INDEX_URL', 'https://a.test/simple https://b.test/simple', 'uv.lock', ['a.test:443 own', 'b.test:443 own']],
    ['GOPROXY', 'https://mine.test,direct', 'go.sum', ['mine.test:443 own']],
    ['CARGO_REGISTRIES_CO_INDEX', 'sparse+https://co.test/', 'Cargo.lock', ['co.test:443 own']],
  ] as const)('are those of the environment: %s', async (name, value, lock, expected) => {
    expect(await hostsOf({ [lock]: '' }, {}, { [name]: value })).toEqual(expected)
  })

  it('are no plain, private or odd ones that only the project names, and says why', async () => {
    const urls = [
      'http://plain.test/x',
      'https://10.0.0.1/x',
      'https://nexus/x',
      'https://odd.test:8443/x',
      'https://[::1]/x',
      'ssh://git@c.test/x',
    ]
    const lock = { 'package-lock.json': urls.map((it) => `"resolved": "${it}"`).join('\n') }
    const { hosts, refused } = await registriesOf(files(lock), await user())
    expect(hosts).toEqual([])
    expect(refused.map((it) => `${it.host}:${it.port} ${it.reason.split(';')[0]}`)).toEqual([
      'plain.test:80 it is used without TLS',
      '10.0.0.1:443 it is an address or a bare word',
      'nexus:443 it is an address or a bare word',
      'odd.test:8443 it is at port 8443',
      '::1:443 it is an address or a bare word',
    ])
    const named = await hostsOf(lock, { '.npmrc': 'registry=https://odd.test:8443/\n@x:registry=http://10.0.0.1:443/\n' })
    expect(named).toEqual(['10.0.0.1:443 own', 'odd.test:8443 own'])
  })

  it('are not those that files of the project send package managers to', async () => {
    const texts = {
      'package-lock.json': '"resolved": "https://a.test/x.tgz"',
      '.npmrc': 'registry=https://evil.test/',
      '.yarnrc.yml': 'npmRegistryServer: https://evil.test',
      'pip.conf': '[global]\nindex-url=https://evil.test',
      '.cargo/config.toml': '[source.x]\nregistry="https://evil.test"',
    }
    expect(await hostsOf(texts, {}, {}, NPM)).toEqual(['a.test:443', 'default.test:443'])
  })

  it('are asked from the real tools of this machine without the project having a say', async () => {
    const { env, home } = await user({ '.npmrc': 'registry=https://mine.test/\n' })
    const real = theUser({ ...env, PATH: process.env['PATH'], HOME: home, npm_config_userconfig: join(home, '.npmrc') }, home)
    expect((await registriesOf(files({ 'package-lock.json': '' }), real)).hosts).toEqual([
      { host: 'mine.test', port: 443, own: true, because: 'your configuration of npm' },
    ])
    expect(await real.run(['npm', 'config', 'get', 'registry'])).toBe('https://mine.test/\n')
    expect(await real.run(['no-such-tool'])).toBeNull()
  })
})

describe('hosts that a change adds', () => {
  const base = { 'package-lock.json': '"resolved": "https://a.test/x.tgz"', '.npmrc': 'save-exact=true' }

  it.each([
    ['package-lock.json', '"resolved": "https://a.test/x.tgz", "resolved": "https://evil.test/x.tgz"'],
    ['package-lock.json', '"resolved": "http://evil.test:443/x.tgz"'],
    ['.npmrc', '@co:registry=https://evil.test/'],
    ['packages/a/.yarnrc.yml', 'npmRegistryServer: "https://evil.test"'],
    ['bunfig.toml', '[install]\nregistry = "https://evil.test"'],
    ['pip.conf', '[install]\nextra-index-url = https://evil.test/simple'],
    ['requirements.txt', '--extra-index-url=https://evil.test/simple'],
    ['pyproject.toml', '[[tool.uv.index]]\nurl = "https://evil.test/simple"'],
    ['.cargo/config.toml', '[registries.x]\nindex = "sparse+https://evil.test/"'],
    ['Gemfile', "source 'https://evil.test'"],
    ['Pipfile', '[[source]]\nurl = "https://evil.test/simple"'],
  ])('are found in %s', async (path, text) => {
    expect(await addedHosts(files(base), files({ ...base, [path]: text }))).toEqual([{ host: 'evil.test', port: 443, file: path }])
  })

  it('are looked for without delay in text that is made to be slow', async () => {
    const names =
      'package-lock.json yarn.lock bun.lock pnpm-lock.yaml uv.lock poetry.lock Pipfile.lock requirements.txt Cargo.lock Gemfile.lock'
    const more =
      'mix.lock composer.lock pom.xml build.gradle pubspec.lock .npmrc .yarnrc .yarnrc.yml bunfig.toml pip.conf pyproject.toml Pipfile'
    const words = [
      '\n',
      ' ',
      'a',
      '@',
      '"',
      '<repository>',
      '<!--',
      '<url> ',
      '"resolved": ',
      '\n resolution: "@',
      'url ',
      'registry ',
      'index-url=\n ',
      '\nurl = https://a.test',
    ]
    const texts = [...words.map((it) => it.repeat(200_000 / it.length)), `registry${' '.repeat(200_000)}`, `url${' '.repeat(200_000)}x`]
    const kinds = [
      ...names.split(' '),
      ...more.split(' '),
      '.cargo/config.toml',
      'Gemfile',
      'gradle/wrapper/gradle-wrapper.properties',
      'go.mod',
    ]
    for (const name of kinds) {
      const change = Object.fromEntries(texts.map((text, at) => [`${at}/${name}`, text]))
      const hosts = (await addedHosts(files({}), files(change))).map((it) => it.host)
      expect(hosts.every((it) => it === 'a.test')).toBe(true)
    }
  })

  it('are none when it moves or drops what the base names', async () => {
    expect(await addedHosts(files(base), files({ 'web/package-lock.json': base['package-lock.json'] }))).toEqual([])
  })
})

describe('configuration for inside a sandbox', () => {
  const SECRETS = /sekret|_auth|password|username|email|certfile|keyfile/i

  it.each([
    [
      '.npmrc',
      'registry=https://me:sekret@mine.test/\n@co:registry=https://co.test/\n//co.test/:_authToken=sekret\n_auth=sekret\nemail=x@y.test\nusername=me\n//co.test/:_password=sekret\ncertfile=/x\nkey=sekret\nstrict-ssl=false\nregistry=https://${SEKRET}@x.test\nscript-shell=/bin/evil\ncafile=${HOME}/ca.pem\n',
      '.npmrc',
      'registry=https://mine.test/\n@co:registry=https://co.test/\nstrict-ssl=false\ncafile=@HOME@/ca.pem\n',
    ],
    [
      '.yarnrc.yml',
      'npmRegistryServer: "https://mine.test"\nnpmAuthToken: sekret\nnpmScopes:\n  co:\n    npmRegistryServer: "https://co.test"\n    npmAuthToken: sekret\nyarnPath: evil.cjs\nplugins:\n  - evil.cjs\n',
      '.yarnrc.yml',
      'npmRegistryServer: "https://mine.test"\nnpmScopes:\n  co:\n    npmRegistryServer: "https://co.test"\n',
    ],
    [
      '.pip/pip.conf',
      '[global]\nindex-url = https://me:sekret@mine.test/simple\nextra-index-url =\n    https://a:sekret@b.test/simple\nclient-cert = /sekret.pem\nproxy = http://me:sekret@proxy\n',
      '.config/pip/pip.conf',
      '[global]\nindex-url = https://mine.test/simple\nextra-index-url =\n    https://b.test/simple\n',
    ],
    [
      '.cargo/config.toml',
      '[registries.co]\nindex = "sparse+https://t:sekret@co.test/"\ntoken = "sekret"\n[source.crates-io]\nreplace-with = "co"\n[target.x]\nrunner = "evil"\n[build]\nrustc-wrapper = "evil"\n',
      'config.toml',
      '[registries.co]\nindex = "sparse+https://co.test/"\n[source.crates-io]\nreplace-with = "co"\n',
    ],
    [
      '.config/go/env',
      'GOPROXY=https://me:sekret@mine.test,direct\nGOFLAGS=-toolexec=evil\nCC=evil\n',
      '.config/go/env',
      'GOPROXY=https://mine.test,direct\n',
    ],
    [
      '.bundle/config',
      '---\nBUNDLE_MIRROR__ALL: "https://me:sekret@mine.test"\nBUNDLE_CO__TEST: "me:sekret"\n',
      '.bundle/config',
      '---\nBUNDLE_MIRROR__ALL: "https://mine.test"\n',
    ],
    [
      '.m2/settings.xml',
      '<settings><servers><server><password>sekret</password></server></servers><mirrors><mirror><url>https://mine.test</url></mirror></mirrors></settings>',
      '.m2/settings.xml',
      '<settings><mirrors><mirror><url>https://mine.test</url></mirror></mirrors></settings>\n',
    ],
  ])('keeps of %s where packages come from, and no secrets', async (path, text, to, expected) => {
    const who = await user({ [path]: text })
    const { files } = await sanitizedConfig(who)
    expect(files.map((it) => ({ path: it.path, text: it.text.replaceAll(who.home, '@HOME@') }))).toEqual([{ path: to, text: expected }])
    expect(files[0]?.text).not.toMatch(SECRETS)
  })

  it('takes what the machine has for all where the user has only secrets', async () => {
    const who = await user({ '.npmrc': '_authToken=sekret\n', 'etc/npmrc': 'registry=https://mine.test/\n' })
    expect((await sanitizedConfig(who)).files).toEqual([{ path: '.npmrc', text: 'registry=https://mine.test/\n' }])
  })

  it('shows the certificates it names, but nothing else', async () => {
    const ca = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n'
    const good = await user({ '.npmrc': 'cafile=@HOME@/ca.pem\n', 'ca.pem': ca })
    expect((await sanitizedConfig(good)).readable).toEqual([join(good.home, 'ca.pem')])
    const key = await user({ '.npmrc': 'cafile=~/.ssh/id\n', '.ssh/id': `${ca}-----BEGIN RSA PRIVATE KEY-----\n` })
    expect((await sanitizedConfig(key)).readable).toEqual([])
    const other = await user({ '.npmrc': 'cafile=~/notes.txt\n', 'notes.txt': 'sekret' })
    expect((await sanitizedConfig(other)).readable).toEqual([])
  })

  it('shows folders of packages it names, but not the home', async () => {
    const pip =
      '[global]\nfind-links =\n  @HOME@/wheels\n  /\nextra-index-url = file://@HOME@/index\n  file://@HOME@\n  file://@HOME@/x/..\n'
    const who = await user({ '.pip/pip.conf': pip, 'wheels/a': '', 'index/a': '', 'more/a': '', 'x/a': '' })
    const env = { PIP_FIND_LINKS: join(who.home, 'more') }
    const { readable } = await sanitizedConfig({ ...who, env })
    expect(readable.toSorted()).toEqual(['index', 'more', 'wheels'].map((it) => join(who.home, it)))
  })

  it('is nothing for a user without any', async () => {
    expect(await sanitizedConfig(await user())).toEqual({ files: [], readable: [] })
  })

  it('takes credentials out of addresses, and nothing else', () => {
    expect(withoutCredentials('a https://me:se/kret@x.test/ b https://x.test/@co/y c git+https://t@y.test:8/z?a=b@c')).toBe(
      'a https://me:se/kret@x.test/ b https://x.test/@co/y c git+https://y.test:8/z?a=b@c',
    )
  })
})
