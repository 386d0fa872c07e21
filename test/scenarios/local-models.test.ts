import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'vitest'
import { fixtureProject } from '../support/fixture-project.ts'
import { temporaryFolder } from '../support/folder.ts'
import { writeScriptedModel } from '../support/gguf.ts'
import { itNeeds } from '../support/needs.ts'
import { reeveFor } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { toolFolder } from '../support/tools.ts'
import { RANGES } from './cases.ts'

/** A network of its own, without any interface that is up. */
const OFFLINE = ['unshare', '--map-root-user', '--net'] as const

/** What the model of each role says, whatever it is asked. */
const SAID = {
  architect: {
    summary: 'One part: the comparison that decides whether two ranges touch.',
    parts: [
      {
        id: 'touching',
        title: 'Join ranges that touch',
        goal: 'mergeRanges must join 1-2 and 3-4 to 1-4, also several in a row.',
        files: [RANGES.file],
        depends_on: [],
      },
    ],
  },
  'spec-author': {
    summary: 'Two ranges that touch, and three in a row.',
    edits: [{ path: RANGES.testFile, content: RANGES.tests.input['content'] }],
    done: true,
  },
  implementer: {
    summary: 'A range begins where the one before ends, or right after it.',
    edits: [{ path: RANGES.file, find: 'first <= before[1])', replace: 'first <= before[1] + 1)' }],
  },
}

itNeeds('the llama engine', 'npm', [...OFFLINE, 'true'])(
  'from a request to a proved commit with models from files, without any network',
  async () => {
    const models = temporaryFolder('reeve-models-')
    const tables = Object.entries(SAID).map(([role, said]) => {
      const file = join(models, `${role}.gguf`)
      writeScriptedModel(file, JSON.stringify(said), { context: 32_768 })
      // The smallest context makes the architect's prompt be cut down to what fits.
      const context = role === 'architect' ? 8192 : 16_384
      return `[providers.${role}]\nkind = "llamacpp"\nfile = ${JSON.stringify(file)}\nthreads = 1\ncontext_tokens = ${context}`
    })
    const roles = Object.keys(SAID).map((role) => `${role} = ["${role}"]`)
    const project = fixtureProject('node-test', {
      files: {
        'reeve.toml': ['[runs]', 'workflow = "build"', '[gates.coverage]', 'enabled = false', '[routing.roles]', ...roles, ...tables].join(
          '\n',
        ),
      },
    })
    const interfaces = spawnSync(OFFLINE[0], [...OFFLINE.slice(1), process.execPath, '-p', 'Object.keys(os.networkInterfaces()).length'])
    expect(interfaces.stdout.toString().trim(), 'there is no network').toBe('0')

    const ended = await reeveFor(project).run(RANGES.task, {
      through: OFFLINE,
      env: { REEVE_LLAMA: toolFolder('llama') },
      args: ['--trust'],
    })
    const { run, events } = ended
    expect(ended.exitCode, ended.text).toBe(0)
    expect([run.status, run.verdict?.redProof.status], ended.text).toEqual(['succeeded', 'proved'])
    expect(git(project, 'diff', '--name-only', run.base, run.branch).split('\n')).toEqual([RANGES.file, RANGES.testFile])
    const chosen = events.filter((it) => it.type === 'provider.chosen').map(({ data }) => [data['provider'], data['model']])
    expect(chosen).toEqual(Object.keys(SAID).map((role) => [role, 'scripted']))
    expect(run.cost).toBe(0)
    expect(run.usage.inputTokens).toBeGreaterThan(5000)
  },
  // Three models are loaded and read some 20,000 tokens; on a busy machine that takes a while.
  180_000,
)
