/**
 * Installs what only the tests of this repository use, into `.cache/tools/<set>/`: real CLI agents, the llama.cpp engine, what tries MCP servers. Versions: test/real/tools.json.
 * Run: node scripts/install-tools.ts                            all, those that are there already at no cost
 *      node scripts/install-tools.ts agents|llama|mcp|mcp-older   one of them
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, relative } from 'node:path'
import { hasTools, TOOL_SETS, type ToolSet, type ToolSetName, toolFolder, toolStamp } from '../test/support/tools.ts'

/** The platform's name in the packages of the engine: `mac-arm64-metal`. */
const ENGINE = process.platform === 'darwin' ? (process.arch === 'arm64' ? 'mac-arm64-metal' : 'mac-x64') : `linux-${process.arch}`
const HERE: Readonly<Record<string, string>> = { os: process.platform, arch: process.arch, engine: ENGINE }
// npm starts the first `node` of the search path, and by its version it chooses versions of packages.
const ENV = { ...process.env, PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter) }

const forThis = (text: string) => text.replace(/\{(\w+)\}/g, (_, name: string) => HERE[name] ?? '')

function install(name: ToolSetName): void {
  if (hasTools(name)) return console.log(`${name}: there`)
  console.log(`${name}: installing ...`)
  const set: ToolSet = TOOL_SETS[name]
  const folder = toolFolder(name)
  mkdirSync(dirname(folder), { recursive: true })
  const made = mkdtempSync(`${folder}.`)
  try {
    for (const packages of set.steps) bring(made, packages.map(forThis), set.optional)
    mkdirSync(join(made, 'bin'))
    for (const [program, { version, at }] of Object.entries(set.programs)) link(made, program, version, at.map(forThis))
    writeFileSync(join(made, '.installed'), toolStamp(name))
    rmSync(folder, { recursive: true, force: true })
    renameSync(made, folder)
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
  console.log(`${name}: installed`)
}

/** No scripts of packages run: they would download, build, or write into the home. */
function bring(folder: string, packages: readonly string[], optional: boolean): void {
  const args = ['install', '--prefix', folder, '--ignore-scripts', optional ? '--include=optional' : '--omit=optional']
  args.push('--no-fund', '--no-audit', '--no-update-notifier', '--loglevel=error', '--engine-strict=false')
  const { status, error } = spawnSync('npm', [...args, ...packages], { cwd: folder, env: ENV, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`npm could not install ${packages.join(', ')}${error ? `: ${error.message}` : ''}`)
}

/** Puts a link to a program into `bin`: to the first place where one runs and says its version. */
function link(folder: string, program: string, version: string, places: readonly string[]): void {
  const home = join(folder, 'home')
  mkdirSync(home, { recursive: true })
  const env = { PATH: ENV.PATH, HOME: home, CODEX_HOME: home }
  const said = places.map((place) => {
    const file = join(folder, 'node_modules', place)
    if (!existsSync(file)) return `${place}: not there`
    const { stdout, stderr, error } = spawnSync(file, ['--version'], { env, encoding: 'utf8', timeout: 60_000 })
    if (stdout?.includes(version)) return null
    return `${place}: ${error?.message ?? `${stdout}${stderr}`.trim().slice(0, 300)}`
  })
  rmSync(home, { recursive: true, force: true })
  const place = places[said.indexOf(null)]
  if (place === undefined) throw new Error(`${program} ${version} does not run here:\n${said.join('\n')}`)
  symlinkSync(relative(join(folder, 'bin'), join(folder, 'node_modules', place)), join(folder, 'bin', program))
}

const asked = process.argv.slice(2)
const known = Object.keys(TOOL_SETS) as ToolSetName[]
const unknown = asked.filter((it) => !known.includes(it as ToolSetName))
if (unknown.length > 0) {
  console.error(`There are no tools called ${unknown.join(', ')}. Known: ${known.join(', ')}.`)
  process.exitCode = 2
} else {
  for (const name of known) {
    if (asked.length > 0 && !asked.includes(name)) continue
    try {
      install(name)
    } catch (error) {
      console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      process.exitCode = 1
    }
  }
}
