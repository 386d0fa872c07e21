import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import { parse as parseToml } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseCommandLine } from '../../src/cli/program.ts'
import { settingKeys } from '../../src/config/keys.ts'
import { settingsSchema } from '../../src/core/settings.ts'

const ROOT = join(import.meta.dirname, '../..')
const GUIDE = 'docs/guides/operating.md'
const FILES = [...globSync('deploy/**/*.*', { cwd: ROOT }), 'deploy/Dockerfile', GUIDE].toSorted()
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** Command lines of reeve: what is behind its name, wherever it is called by its path or in a container, up to the end of the command. */
function commandsIn(source: string): string[] {
  const lines = source.split('\n').map((it) => it.replace(/\s#\s.*$/, '').replace(/\$\([^)]*\)/g, 'x'))
  const called = /(?:^|[\s`"'/])reeve"?(?: reeve)? ([a-z]+(?: [^\n`|;&)<]*)?)/g
  return lines.flatMap((line) => [...line.matchAll(called)].map((it) => (it[1] ?? '').replace(/'$/, '').trim()))
}

/** Places where reeve is called, and not only spoken of. */
function calls(path: string): string[] {
  const source = text(path)
  if (path.endsWith('.md')) {
    const fenced = [...source.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((it) => it[1] ?? '')
    const inline = [...source.matchAll(/`(reeve [^`]+)`/g)].map((it) => (it[1] ?? '').replace(/<[^>]+>/g, 'x'))
    return commandsIn([...fenced, ...inline].join('\n'))
  }
  const exec = [...source.matchAll(/^(?:ExecStart=|#\s+docker compose |\s*<string>set -a).*$/gm)].map((it) =>
    it[0].replace(/<\/string>$/, ''),
  )
  return commandsIn(exec.join('\n'))
}

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((it) => it[1] ?? it[2] ?? it[3] ?? '')
}

const all = FILES.flatMap((path) => calls(path).map((line) => [path, line] as const))

describe('what is there to deploy', () => {
  it('calls reeve in the service, the timer, on macOS, in the container and all over the guide', () => {
    const by = Object.groupBy(all, ([path]) => path)
    expect(by['deploy/systemd/reeve.service']?.map(([, it]) => it)).toEqual(['serve'])
    expect(by['deploy/systemd/reeve-backup.service']).toHaveLength(1)
    expect(by['deploy/launchd/dev.reeve.serve.plist']?.map(([, it]) => it)).toEqual(['serve'])
    expect(by['deploy/compose.yaml']?.length).toBeGreaterThan(2)
    expect(by[GUIDE]?.length).toBeGreaterThan(15)
  })

  it.each(all)('%s: reeve %s is a command with these options', (_path, line) => {
    // A command that needs more, such as the run, is only spoken of where nothing follows.
    const parsed = parseCommandLine([...words(line), ...(/^(show|diagnose|logs|resume|retry|backup)$/.test(line) ? ['x'] : [])])
    expect(parsed.kind).toBe('command')
  })

  it.each(FILES)('%s names no setting that is not there', (path) => {
    const keys = new Set(settingKeys().map((it) => it.key))
    const tables = new Set([...keys].map((it) => it.split('.')[0]))
    const said = [...text(path).matchAll(/`([a-z]+)\.((?:<name>\.)?[a-z_]+)`/g)].filter((it) => tables.has(it[1]) && it[2] !== 'json')
    expect(said.map((it) => `${it[1]}.${it[2]}`).filter((it) => !keys.has(it))).toEqual([])
    const variables = [...text(path).matchAll(/REEVE_([A-Z]+)__([A-Z_]+)/g)].map((it) => `${it[1]}.${it[2]}`.toLowerCase())
    expect(variables.filter((it) => !keys.has(it))).toEqual([])
  })

  it.each(FILES)('%s names no file of the repository that is not there', (path) => {
    const source = text(path)
    const named = [...source.matchAll(/(?:%h|~|\$HOME)\/reeve\/([\w./*-]+)/g)].map((it) => it[1] ?? '')
    const copied = [...source.matchAll(/^!(\S+)$/gm)].map((it) => it[1] ?? '')
    const linked = path.endsWith('.md') ? [...source.matchAll(/\]\(([^)#:]+)/g)].map((it) => join(path, '..', it[1] ?? '')) : []
    expect([...named, ...copied, ...linked].filter((it) => globSync(it, { cwd: ROOT }).length === 0)).toEqual([])
  })
})

describe('the files themselves', () => {
  it('the settings of the guide are settings', () => {
    const found = [...text(GUIDE).matchAll(/^```toml\n([\s\S]*?)^```/gm)].map((it) => it[1] ?? '')
    expect(found.length).toBeGreaterThan(0)
    for (const toml of found) expect(() => settingsSchema.parse(parseToml(toml))).not.toThrow()
  })

  it('the units wait longer for an end than reeve lets steps end, and leave the sandbox what it needs', () => {
    const unit = text('deploy/systemd/reeve.service')
    const { drain_seconds } = settingsSchema.parse({}).daemon
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(drain_seconds + 10)
    expect(unit).not.toMatch(
      /^(RestrictNamespaces|PrivateUsers|ProtectKernelTunables|ProtectProc|SystemCallFilter|MemoryDenyWriteExecute)=/m,
    )
    expect(unit).toMatch(/^RestrictAddressFamilies=.*AF_NETLINK/m)
  })

  it('the list of properties is one, with keys that each have a value', () => {
    const found = plist(text('deploy/launchd/dev.reeve.serve.plist'))
    expect(found['Label']).toBe('dev.reeve.serve')
    expect(found['ProgramArguments']).toMatchObject(['/bin/sh', '-c', expect.stringMatching(/exec .*reeve" serve$/) as string])
    expect(Number(found['ExitTimeOut'])).toBeGreaterThan(settingsSchema.parse({}).daemon.drain_seconds + 10)
    expect(found['KeepAlive']).toEqual({ SuccessfulExit: false })
  })

  it('the compose file builds from this checkout, asks the server how it is, and runs nothing as root', () => {
    const { services, volumes } = parse(text('deploy/compose.yaml')) as {
      services: Record<string, { build: Record<string, unknown>; volumes: string[]; healthcheck: { test: string[] }; ports?: unknown }>
      volumes: object
    }
    expect(Object.keys(services)).toEqual(['reeve'])
    const { build, healthcheck, volumes: mounted, ports } = services['reeve'] ?? { build: {}, volumes: [], healthcheck: { test: [] } }
    expect(existsSync(join(ROOT, 'deploy', String(build['context']), String(build['dockerfile'])))).toBe(true)
    expect(Object.keys(volumes)).toContain(mounted[0]?.split(':')[0])
    expect(ports, 'it listens on the loopback of the machine').toBeUndefined()
    const port = settingsSchema.parse({}).daemon.port
    expect(healthcheck.test.at(-1)).toContain(`http://127.0.0.1:${port}/health`)
    const image = text('deploy/Dockerfile')
    expect(image).toContain((healthcheck.test.at(-1) ?? '').trim())
    expect(image).toMatch(/^USER (?!root)/m)
  })
})

type Property = string | boolean | Property[] | { [key: string]: Property }

/** A property list as a value: dict, array, string, integer, true and false are all that ours has. */
function plist(source: string): { [key: string]: Property } {
  const parser = new SaxesParser()
  const open: { value: Property; key: string | null }[] = [{ value: [], key: null }]
  let chars = ''
  const put = (value: Property) => {
    const top = open.at(-1)
    if (Array.isArray(top?.value)) top.value.push(value)
    else if (typeof top?.value === 'object' && top.key !== null) [top.value[top.key], top.key] = [value, null]
    else throw new Error(`A value without a key: ${JSON.stringify(value)}`)
  }
  parser.on('text', (it) => (chars += it))
  parser.on('opentag', ({ name }) => {
    chars = ''
    if (name === 'dict' || name === 'array') open.push({ value: name === 'dict' ? {} : [], key: null })
  })
  parser.on('closetag', ({ name }) => {
    if (name === 'dict' || name === 'array') put(open.pop()?.value ?? '')
    if (name === 'true' || name === 'false') put(name === 'true')
    if (name === 'string' || name === 'integer') put(chars)
    const top = open.at(-1)
    if (name === 'key' && top) top.key = chars
  })
  parser.on('error', (error) => {
    throw error
  })
  parser.write(source).close()
  const [whole] = (open[0]?.value ?? []) as { [key: string]: Property }[]
  return whole ?? {}
}
