import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, vi } from 'vitest'
import { startScriptedServer } from '../../src/models/scripted-server/server.ts'
import { type ConformanceServer, startConformanceServer } from '../mcp/serve.ts'
import { goodDirect, RANGES } from '../scenarios/cases.ts'
import { TOY_FILES } from '../support/app.ts'
import { fixtureProject } from '../support/fixture-project.ts'
import { lastingFolder, temporaryFolder, writeFiles } from '../support/folder.ts'
import { itNeeds } from '../support/needs.ts'
import { git, makeRepository } from '../support/repository.ts'
import { residentReeve } from '../support/resident.ts'
import { toolFolder } from '../support/tools.ts'
import { configureHosts, runHost, SERVER } from './mcp-hosts.ts'

vi.setConfig({ testTimeout: 300_000 })

const NAMES = ['create', 'list', 'status', 'control', 'workspace', 'logs', 'run'].map((it) => `ai_coder_${it}`)

/** Checks that the suite could not do here, each with its reason. */
const SKIPPED: Readonly<Record<string, string>> = {
  'tasks-status-notifications': 'the suite does not test them yet',
  'sep-2575-server-sends-tools-list-changed-on-subscription': 'our tools never change',
  'sep-2575-server-sends-prompts-list-changed-on-subscription': 'we have no prompts',
  'server-session-lifecycle': 'there are no sessions',
}

describe('the conformance suite', () => {
  let server: ConformanceServer
  let remove: () => void
  beforeAll(async () => {
    const made = lastingFolder('reeve-mcp-')
    remove = made.remove
    const project = join(made.folder, 'project')
    writeFiles(project, TOY_FILES)
    git(project, 'init', '-q', '-b', 'main')
    git(project, 'add', '-A')
    git(project, 'commit', '-q', '-m', 'First commit')
    server = await startConformanceServer(join(made.folder, 'home'), project)
  })
  afterAll(async () => {
    await server.close()
    remove()
  })

  const suite = (set: 'mcp' | 'mcp-older') => join(toolFolder(set), 'bin', 'conformance')
  const expected = (revision: string) => ['--expected-failures', join(import.meta.dirname, '../mcp', `expected-${revision}.yaml`)]

  async function play(set: 'mcp' | 'mcp-older', ...args: string[]): Promise<{ text: string; skipped: string[] }> {
    const results = temporaryFolder()
    const said = await runHost([suite(set), 'server', '--url', server.url, '-o', results, ...args], { home: results, cwd: results })
    expect(said.exitCode, said.text).toBe(0)
    const checks = globSync(join(results, '*/checks.json')).flatMap(
      (it) => JSON.parse(readFileSync(it, 'utf8')) as { id: string; status: string }[],
    )
    expect(checks.length, 'what it has checked').toBeGreaterThan(20)
    return { text: said.text, skipped: checks.filter((it) => it.status === 'SKIPPED').map((it) => it.id) }
  }

  const itSuite = itNeeds('the MCP tools')
  const itOlder = itNeeds('the older MCP tools')
  itSuite.each(['2025-11-25', '2026-07-28'])('finds what revision %s requires, but for what is written down', async (revision) => {
    const { skipped, text } = await play('mcp', '--requirements', revision, ...expected(revision))
    expect(
      skipped.filter((it) => !(it in SKIPPED)),
      text,
    ).toEqual([])
  })

  itOlder('of before 2026-07-28 finds the same', async () => {
    const { skipped, text } = await play('mcp-older', ...expected('2025-11-25'))
    expect(skipped, text).toEqual([])
  })
})

describe('hosts on standard input and output', () => {
  const place = () => {
    const project = makeRepository(TOY_FILES)
    const reeve = residentReeve(project)
    configureHosts(reeve.home, project)
    return { reeve, home: reeve.home, cwd: project }
  }

  itNeeds('the MCP tools')('the Inspector lists our tools and calls them', async () => {
    const { reeve, ...where } = place()
    const inspect = (...args: string[]) => runHost(['mcp-inspector', '--cli', ...SERVER, ...args], where)
    // Strict: schemas that every host can read.
    const listed = await inspect('--strict', '--method', 'tools/list')
    expect(listed.exitCode, listed.text).toBe(0)
    const { tools } = JSON.parse(listed.stdout) as { tools: { name: string }[] }
    expect(tools.map((it) => it.name)).toEqual(NAMES)
    const called = await inspect('--method', 'tools/call', '--tool-name', 'ai_coder_list', '--tool-arg', 'limit=5')
    expect(JSON.parse(called.stdout), called.text).toMatchObject({ structuredContent: { runs: [] } })
    const wrong = await inspect('--method', 'tools/call', '--tool-name', 'ai_coder_status', '--tool-arg', 'runId=nope')
    expect(JSON.parse(wrong.stdout), wrong.text).toMatchObject({ isError: true, structuredContent: { error: { code: 'run_not_found' } } })
    expect((await inspect('--method', 'tools/call', '--tool-name', 'no_such_tool')).text).toContain('tool_not_found')
    expect((await reeve(['ls', '--json'])).exitCode).toBe(0)
  })

  itNeeds('the real claude')('Claude Code connects', async () => {
    const { reeve: _, ...where } = place()
    const added = await runHost(['claude', 'mcp', 'add', '--scope', 'local', 'reeve', '--', ...SERVER], where)
    expect(added.exitCode, added.text).toBe(0)
    expect((await runHost(['claude', 'mcp', 'list'], where)).text).toMatch(/reeve: .*✔ Connected/)
  })

  itNeeds('the real opencode')('opencode connects', async () => {
    const { reeve: _, ...where } = place()
    expect((await runHost(['opencode', 'mcp', 'list'], where)).text).toMatch(/✓ reeve .*connected/)
  })

  itNeeds('the real gemini')('Gemini CLI connects', async () => {
    const { reeve: _, ...where } = place()
    expect((await runHost(['gemini', 'mcp', 'list'], where)).text).toMatch(/✓ reeve: .*Connected/)
  })

  itNeeds('the real codex')('Codex connects, and has our tools', async () => {
    const { reeve: _, ...where } = place()
    const input = [
      { id: 1, method: 'initialize', params: { clientInfo: { name: 'test', version: '1' } } },
      { method: 'initialized' },
      { id: 2, method: 'mcpServerStatus/list', params: {} },
    ].map((it) => JSON.stringify(it))
    const said = await runHost(['codex', 'app-server'], { ...where, input, until: /"id":2/ })
    const line = said.stdout.split('\n').find((it) => it.startsWith('{"id":2,')) ?? '{}'
    const { result } = JSON.parse(line) as { result?: { data: { name: string; tools: object }[] } }
    expect(
      result?.data.map((it) => [it.name, Object.keys(it.tools).toSorted()]),
      said.text,
    ).toEqual([['reeve', NAMES.toSorted()]])
  })

  itNeeds('the real claude')('an agent of Claude Code starts a run, waits for its end and reads what it has come to', async () => {
    const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config: '[runs]\nworkflow = "direct"\n' })
    const reeve = residentReeve(project)
    const key = 'sk-ant-dummy'
    const call = (tool: string, input: { [key: string]: string | number }) => ({ call: { tool: `mcp__reeve__ai_coder_${tool}`, input } })
    const wait = call('status', { runId: 'last', sinceEvent: 0, waitMs: 25_000, until: 'rest' })
    const model = await startScriptedServer({
      key,
      steps: [
        call('create', { taskFile: JSON.stringify(RANGES.task), idempotencyKey: 'ranges' }),
        wait,
        wait,
        wait,
        call('workspace', { runId: 'last', op: 'diff' }),
        { say: 'The run is over.' },
      ],
    })
    try {
      const [command, ...args] = SERVER
      const env = {
        REEVE_SANDBOX__MINIMUM: 'guarded',
        REEVE_SANDBOX__READ: JSON.stringify([join(import.meta.dirname, '../../node_modules')]),
      }
      const config = JSON.stringify({ mcpServers: { reeve: { command, args, env } } })
      const said = await runHost(
        [
          'claude',
          '-p',
          'Join ranges that touch, with reeve.',
          ...['--output-format', 'stream-json', '--verbose', '--setting-sources', 'user'],
          ...['--strict-mcp-config', '--mcp-config', config, '--allowedTools', 'mcp__reeve'],
        ],
        { home: reeve.home, cwd: project, env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: key } },
      )
      expect(said.exitCode, said.text).toBe(0)
      const run = await reeve.show()
      expect([run.task.id, run.status, run.verdict?.status], said.text).toEqual([RANGES.task.id, 'succeeded', 'passed'])
      expect(said.stdout, 'what the agent was told').toContain(`\\"state\\":\\"succeeded\\"`)
      expect(said.stdout).toContain('before[1] + 1')
      expect(said.stdout).toContain('The run is over.')
      expect(model.log.filter((it) => it.number > 0 && !it.side).length).toBe(6)
    } finally {
      await model.close()
    }
  })
})
