import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fingerprint } from '../support/fingerprint.ts'
import { fixtureProject } from '../support/fixture-project.ts'
import { reeveFor, writeTask } from '../support/reeve.ts'
import { goodDirect, RANGES } from './cases.ts'

const CONFIG = '[runs]\nworkflow = "direct"\n'
const project = () => fixtureProject('node-test', { replies: goodDirect(RANGES), config: CONFIG })

const dependent = (id: string, on: string) => ({ id, title: id, description: id, depends_on: [on] })

describe('wrong use: exit code 2, one sentence that says what is allowed, nothing half done', () => {
  const cases: [string, string[], RegExp][] = [
    ['an unknown role', ['run', 'Do it', '--role', 'implementor'], /No role "implementor"\. Known roles: .*implementer/],
    ['an unknown workflow', ['run', 'Do it', '--workflow', 'bild'], /No workflow "bild"\. Known workflows: .*build/],
    ['an unknown provider', ['run', 'Do it', '--provider', 'claud'], /No provider "claud"\. Configured providers: script/],
    ['an unknown option', ['run', 'Do it', '--max-attemps', '2'], /--max-attempts/],
    ['an unknown command', ['rnu', 'Do it'], /run/],
    ['a base that is not there', ['run', 'Do it', '--base', 'mian'], /No commit "mian"/],
    ['an empty task', ['run', '  '], /empty/],
    ['no task', ['run'], /task/],
  ]
  it.each(cases)('%s', async (_, args, says) => {
    const root = project()
    const before = fingerprint(root)
    const reeve = reeveFor(root)
    const refused = await reeve(args)
    expect(refused.exitCode, refused.text).toBe(2)
    expect(refused.stderr).toMatch(says)
    expect(fingerprint(root)).toEqual(before)
    expect(await reeve.json('ls', '--json'), 'no run was queued').toEqual([])
  })

  it('a mistyped key of reeve.toml: file, line and the nearest key', async () => {
    const root = project()
    writeFileSync(join(root, 'reeve.toml'), '[runs]\nworkflow = "direct"\nmax_attemps = 2\n')
    const refused = await reeveFor(root)(['run', 'Do it'])
    expect(refused.exitCode, refused.text).toBe(2)
    expect(refused.stderr).toMatch(/reeve\.toml:3: .*max_attempts/)
  })

  it('a reeve.toml that is no TOML: file and line', async () => {
    const root = project()
    writeFileSync(join(root, 'reeve.toml'), '[runs]\nworkflow = direct\n')
    const refused = await reeveFor(root)(['run', 'Do it'])
    expect(refused.exitCode, refused.text).toBe(2)
    expect(refused.stderr).toMatch(/reeve\.toml:2/)
  })

  it('a task file with two mistakes: both, with their lines, and no task of it is queued', async () => {
    const root = project()
    const reeve = reeveFor(root)
    const file = join(reeve.home, 'tasks.yaml')
    writeFileSync(
      file,
      '- id: good\n  title: Good\n  description: Good\n- id: ../bad\n  title: Bad\n  description: Bad\n- id: other\n  titel: Bad\n  description: Bad\n',
    )
    const refused = await reeve(['run', '--file', file])
    expect(refused.exitCode, refused.text).toBe(2)
    expect(refused.stderr).toMatch(/tasks\.yaml:4/)
    expect(refused.stderr).toMatch(/title is missing/)
    expect(await reeve.json('ls', '--json')).toEqual([])
  })

  it('tasks that depend on each other in a circle', async () => {
    const root = project()
    const reeve = reeveFor(root)
    const refused = await reeve(['run', '--file', writeTask(reeve.home, [dependent('a', 'b'), dependent('b', 'a')])])
    expect(refused.exitCode, refused.text).toBe(2)
    expect(refused.stderr).toMatch(/circle/)
  })

  it('no provider: exit code 3 and an example of one', async () => {
    const root = project()
    writeFileSync(join(root, 'reeve.toml'), CONFIG)
    const refused = await reeveFor(root)(['run', 'Do it'])
    expect(refused.exitCode, refused.text).toBe(3)
    expect(refused.stderr).toMatch(/providers/)
  })

  it('a run that is not there: exit code 4', async () => {
    const reeve = reeveFor(project())
    for (const command of [['show'], ['logs'], ['diff'], ['land'], ['stop'], ['verify'], ['rescue']]) {
      const refused = await reeve([...command, 'r000nothere'])
      expect(refused.exitCode, `${command.join(' ')}: ${refused.text}`).toBe(4)
    }
  })
})
