import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { loadSettings } from './load.ts'

interface Given {
  project?: string
  user?: string
  files?: Record<string, string>
  env?: Record<string, string>
  flags?: { key: string; value: string; name: string }[]
}

const HOME = '/home/ada'

async function load({ project = '', user, files = {}, env = {}, flags = [] }: Given) {
  const userDir = temporaryFolder()
  if (user !== undefined) writeFiles(userDir, { 'config.toml': user })
  const all: Record<string, string> = { 'reeve.toml': project, ...files }
  const loading = loadSettings({
    projectRoot: '/nowhere',
    readProjectFile: async (path) => all[path] ?? null,
    env: { HOME, ...env },
    flags,
    userDir,
  })
  const ownFile = join(userDir, 'config.toml')
  return loading.then(
    ({ settings }) => ({ sandbox: settings.sandbox, problem: '' }),
    (error: Error) => ({ sandbox: null, problem: error.message.replaceAll(ownFile, 'OWN') }),
  )
}

const sandbox = (text: string) => `[sandbox]\n${text}\n`

describe('what is not about one project', () => {
  it.each([
    ['mcp', 'approve = true'],
    ['daemon', 'port = 1'],
    ['queue', 'max_concurrent = 1'],
  ])('refuses [%s] from a file of the project, and takes it from the user', async (table, line) => {
    const text = `[${table}]\n${line}\n`
    const { problem } = await load({ project: text })
    expect(problem).toContain(
      `reeve.toml:2: a project's file may not set ${table}.${line.split(' ')[0]}; put it into your own configuration: OWN`,
    )
    expect((await load({ user: text })).problem).toBe('')
  })
})

describe('what a project may not lower', () => {
  it.each([
    ['none', 'minimum'],
    ['guarded', 'minimum'],
  ])('refuses %s as the %s of a project, and says where it may stand', async (level, key) => {
    expect((await load({ project: sandbox(`${key} = "${level}"`) })).problem).toBe(
      `reeve.toml:2: sandbox.${key} is "${level}", and a project's file may not lower it (the default is stronger); put it into your own configuration: OWN, or use --accept-isolation`,
    )
  })

  it('refuses a lower level in the same way', async () => {
    expect((await load({ user: sandbox('level = "container"'), project: sandbox('level = "auto"') })).problem).toBe(
      'reeve.toml:2: sandbox.level is "auto", and a project\'s file may not lower it (yours is "container"); put it into your own configuration: OWN',
    )
    expect((await load({ project: sandbox('level = "none"') })).problem).toContain('may not lower it')
  })

  it('keeps the minimum where a project alone wants runs to wait for a person, which would need less', async () => {
    const runs = '[runs]\nautonomy = "manual"\n'
    expect((await load({ project: runs })).sandbox?.minimum).toBe('os-sandbox')
    expect((await load({ project: runs, user: sandbox('minimum = "guarded"') })).sandbox?.minimum).toBe('guarded')
    expect((await load({ project: runs, user: runs })).sandbox?.minimum).toBeUndefined()
    expect((await load({ flags: [{ key: 'runs.autonomy', value: 'manual', name: '--autonomy' }], project: runs })).sandbox?.minimum).toBe(
      undefined,
    )
  })

  it('refuses the value of a variable in a host of a project: it would be told to whatever asks for another one', async () => {
    const env = { TOKEN: 'f00ba4' }
    const hosts = sandbox('hosts = ["${TOKEN}.evil.example"]')
    expect((await load({ project: hosts, env })).problem).toBe(
      "reeve.toml:2: a project's file may not put the value of a variable into sandbox.hosts; write it out",
    )
    expect((await load({ user: hosts, env })).sandbox?.hosts).toEqual(['f00ba4.evil.example'])
    expect((await load({ user: hosts, project: sandbox('hosts = ["a.example"]'), env })).sandbox?.hosts).toEqual(['a.example'])
  })

  it('sees it through what a project extends, through its environment file and through a variable', async () => {
    const low = sandbox('minimum = "${LOW:-none}"')
    expect((await load({ project: 'extends = "team.toml"', files: { 'team.toml': low } })).problem).toMatch(
      /^team\.toml:2: .*may not lower/,
    )
    expect((await load({ files: { 'reeve.ci.toml': low }, env: { REEVE_ENV: 'ci' } })).problem).toMatch(
      /^reeve\.ci\.toml:2: .*may not lower/,
    )
  })

  it('lets a project raise, also what the user has lowered', async () => {
    expect((await load({ project: sandbox('minimum = "container"\nlevel = "container"') })).sandbox).toMatchObject({ minimum: 'container' })
    const raised = await load({ user: sandbox('minimum = "none"'), project: sandbox('minimum = "guarded"') })
    expect(raised.sandbox?.minimum).toBe('guarded')
  })

  it('leaves the last word to the user: own file, variable, flag', async () => {
    expect((await load({ user: sandbox('minimum = "none"\nlevel = "none"') })).sandbox).toMatchObject({ minimum: 'none', level: 'none' })
    const project = sandbox('minimum = "guarded"')
    expect((await load({ project, env: { REEVE_SANDBOX__MINIMUM: 'none' } })).sandbox?.minimum).toBe('none')
    const flag = { key: 'sandbox.minimum', value: 'guarded', name: '--accept-isolation' }
    expect((await load({ project: sandbox('minimum = "container"'), flags: [flag] })).sandbox?.minimum).toBe('guarded')
  })
})

describe('what only the user may open', () => {
  it.each([
    ['read = ["/opt"]', 'read'],
    ['private_hosts = ["10.0.0.5"]', 'private_hosts'],
  ])('refuses %s in a project', async (line, key) => {
    expect((await load({ project: sandbox(line) })).problem).toBe(
      `reeve.toml:2: a project's file may not set sandbox.${key}; put it into your own configuration: OWN`,
    )
  })

  it('takes them from the user, with the home filled in', async () => {
    const found = await load({ user: sandbox('read = ["~/.nvm", "/opt/go"]\nprivate_hosts = ["10.0.0.5:8080", "registry.lan"]') })
    expect(found.sandbox).toMatchObject({ read: ['/home/ada/.nvm', '/opt/go'], private_hosts: ['10.0.0.5:8080', 'registry.lan'] })
  })

  it('lets a project set limits, hosts and install scripts', async () => {
    const project = '[sandbox]\nhosts = ["npm.example.com:8443"]\ninstall_scripts = true\n[sandbox.limits]\nmemory_mb = 512\n'
    expect((await load({ project })).sandbox).toMatchObject({
      hosts: ['npm.example.com:8443'],
      install_scripts: true,
      limits: { memory_mb: 512 },
    })
  })

  it.each(['node 24', '--privileged', 'x; curl evil.example'])('refuses %s as an image', async (image) => {
    expect((await load({ project: `[sandbox]\nimage = "${image}"` })).problem).toBe(
      `reeve.toml:2: sandbox.image is "${image}", which is no name of an image; allowed: letters, digits and ".", "_", "-", "/", ":", "@", such as "node:24"`,
    )
    expect((await load({ project: '[sandbox]\nimage = "ghcr.io/a/b_c:1.2@sha256:0f"' })).sandbox).toMatchObject({
      image: 'ghcr.io/a/b_c:1.2@sha256:0f',
    })
  })

  it.each([
    ['opt/go', 'which is no absolute path; allowed: "/opt/tool" or "~/tool"'],
    ['/', 'which is everything; name the folders that are needed'],
    ['/proc/', 'and /proc shows other programs and the machine itself; each program has its own'],
    ['/opt/../sys/fs', 'and /sys shows other programs and the machine itself; each program has its own'],
    ['/run', 'which holds the sockets and files of other programs; name the folders in it that are needed'],
    ['~', 'which shows your whole home, with its keys; name the folders that are needed'],
    ['/home/', 'which shows your whole home, with its keys; name the folders that are needed'],
    ['~/x/../', 'which shows your whole home, with its keys; name the folders that are needed'],
    ['~/.local/state', 'which shows what reeve keeps in /home/ada/.local/state/reeve; name other folders'],
    ['~/.local/share/reeve/runs', 'which shows what reeve keeps in /home/ada/.local/share/reeve; name other folders'],
  ])('refuses to show %s to programs', async (path, why) => {
    expect((await load({ user: sandbox(`read = ["${path}"]`) })).problem).toBe(`config.toml:2: sandbox.read names "${path}", ${why}`)
  })

  it.each([
    ['https://npm.example.com', 'which is a URL'],
    ['*.example.com', 'which is a pattern: each host has to be named'],
    ['npm.example.com:0', 'whose port is none'],
    ['npm.example.com:99999', 'whose port is none'],
    ['127.0.0.1', 'which is an address; your own configuration may name it in sandbox.private_hosts'],
    ['localhost:8080', 'which is no public name; your own configuration may name it in sandbox.private_hosts'],
    ['0x7f.1', 'which is no name of a host'],
    ['::1', 'which is no name of a host'],
    ['user@npm.example.com', 'which is no name of a host'],
    ['npm.example.com.', 'which is no name of a host'],
    ['npm example', 'which is no name of a host'],
  ])('refuses the host %s', async (host, why) => {
    expect((await load({ project: sandbox(`hosts = ["${host}"]`) })).problem).toBe(
      `reeve.toml:2: sandbox.hosts names "${host}", ${why}; allowed: "name" or "name:port", such as "npm.example.com"`,
    )
  })
})

describe('a budget of the user', () => {
  const runs = async (project: string, user: string) => {
    const userDir = temporaryFolder()
    writeFiles(userDir, { 'config.toml': `[runs]\n${user}\n` })
    const readProjectFile = async (path: string) => (path === 'reeve.toml' ? `[runs]\n${project}\n` : null)
    const { settings, warnings } = await loadSettings({ projectRoot: '/nowhere', readProjectFile, env: { MUCH: '900' }, userDir })
    return { ...settings.runs, warnings }
  }

  it('may be lowered by a project, never lifted', async () => {
    expect(await runs('max_usd = 3', 'max_usd = 5')).toMatchObject({ max_usd: 3, warnings: [] })
    expect(await runs('max_usd = 500', 'max_usd = 5')).toMatchObject({
      max_usd: 5,
      warnings: ['reeve.toml:2: runs.max_usd would lift a limit of yours, which counts.'],
    })
    expect((await runs('max_tokens = "${MUCH}"', 'max_tokens = 5')).max_tokens).toBe(5)
    expect((await runs('max_usd = 500', 'max_tokens = 5')).max_usd, 'where the user has set none').toBe(500)
  })
})

it('keeps the limits of an account of the user', async () => {
  const userDir = temporaryFolder()
  writeFiles(userDir, { 'config.toml': '[providers.x]\nkind = "openai"\nmax_concurrent = 2\nrequests_per_minute = 30\n' })
  const project = '[providers.x]\nmax_concurrent = 50\nrequests_per_minute = 10\ntokens_per_minute = 7\naccount = "another"\n'
  const readProjectFile = async (path: string) => (path === 'reeve.toml' ? project : null)
  const { settings, warnings } = await loadSettings({ projectRoot: '/nowhere', readProjectFile, env: {}, userDir })
  expect(settings.providers['x']).toMatchObject({ max_concurrent: 2, requests_per_minute: 10, tokens_per_minute: 7 })
  expect(settings.providers['x']).not.toHaveProperty('account')
  expect(warnings).toEqual([
    'reeve.toml:2: providers.x.max_concurrent would lift a limit of yours, which counts.',
    'reeve.toml:5: providers.x.account would lift a limit of yours, which counts.',
  ])
})

it('refuses a webhook that is never told of anything, and a key where the name of its variable is wanted', async () => {
  const hook = (text: string) => load({ user: `[webhooks.chat]\nurl = "https://chat.example/in"\n${text}\n` })
  expect((await hook('events = ["run.*", "approval.asked"]\nsecret_env = "CHAT_KEY"')).problem).toBe('')
  expect((await hook('events = ["run.done"]')).problem).toBe(
    'config.toml:3: webhooks.chat.events names "run.done", which is no type of event; allowed: those of docs/reference/events.md, such as "run.finished", and "run.*" for all of a kind',
  )
  const named = await load({ user: '[webhooks.chat]\nurl = "https://ada:pass-44@chat.example/in"\n' })
  expect(named.problem).toContain('config.toml:2: webhooks.chat.url has a name or a password, which is not sent')
  expect(named.problem).not.toContain('pass-44')
  const { problem } = await hook('secret_env = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"')
  expect(problem).toContain('webhooks.chat.secret_env holds what looks like a key itself')
  expect(problem).not.toContain('MfKQ9r8')
})
