import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { completionScript } from '../../src/cli/completion.ts'
import { temporaryFolder, writeFiles } from '../support/folder.ts'
import { itNeeds } from '../support/needs.ts'
import { reeveFor } from '../support/reeve.ts'
import { makeRepository } from '../support/repository.ts'

const VERSION = (JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }).version

it('says its version, its help and its errors as a process', async () => {
  const reeve = reeveFor(temporaryFolder())
  expect((await reeve(['--version'])).stdout).toBe(`${VERSION}\n`)
  const help = await reeve(['--help'])
  expect([help.exitCode, help.stderr]).toEqual([0, ''])
  expect(help.stdout).toMatch(/^Usage: reeve <command> \[options\]/)
  const wrong = await reeve(['shwo', 'last'])
  expect([wrong.exitCode, wrong.stdout, wrong.stderr]).toEqual([2, '', 'reeve: No command "shwo". Did you mean "show"?\n'])
  const nowhere = await reeve(['ls', '--json'])
  expect(nowhere.exitCode).toBe(3)
  expect(JSON.parse(nowhere.stdout)).toMatchObject({ error: { code: 'not_a_repository', hint: expect.stringContaining('git init') } })
})

it('does not fail when its reader leaves', () => {
  const project = makeRepository({ 'package.json': '{"scripts":{"test":"node --test"}}' })
  const main = join(import.meta.dirname, '../../src/main.ts')
  const line = `"${process.execPath}" "${main}" config show 2>err.txt | head -n 1; echo "\${PIPESTATUS[0]}"`
  const { stdout } = spawnSync('bash', ['-c', line], {
    cwd: project,
    env: { PATH: process.env['PATH'] ?? '', HOME: project, REEVE_HOME: temporaryFolder(), REEVE_FOREGROUND: '1' },
    encoding: 'utf8',
  })
  expect(stdout.split('\n')[0]).toMatch(/^KEY +VALUE +FROM$/)
  expect(stdout.trim().endsWith('0'), stdout).toBe(true)
})

/** What bash offers after these words. */
function offered(...words: string[]): string[] {
  const folder = temporaryFolder()
  writeFiles(folder, { 'reeve.bash': completionScript('bash') })
  const script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _reeve; printf "%s\\n" "${COMPREPLY[@]}"'
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', join(folder, 'reeve.bash'), 'reeve', ...words], {
    encoding: 'utf8',
    cwd: folder,
  })
  expect(stderr).toBe('')
  return stdout.split('\n').filter((it) => it !== '')
}

itNeeds('bash')('completes commands, options and their choices in bash', () => {
  expect(offered('re')).toEqual(['retry', 'restart', 'replay', 'resume', 'reject', 'rescue', 'restore'])
  expect(offered('-C', 'somewhere', 'la')).toEqual(['land'])
  expect(offered('run', '--ki')).toEqual(['--kind'])
  expect(offered('run', '--kind', 'f')).toEqual(['feature'])
  expect(offered('run', '--file', 'reeve.b')).toEqual(['reeve.bash'])
  expect(offered('config', '')).toEqual(['show', 'validate'])
  expect(offered('config', 'show', '--js')).toEqual(['--json'])
  expect(offered('show', 'l')).toEqual(['last'])
})

it('knows every command in zsh and fish too', () => {
  expect(completionScript('zsh')).toMatch(/^autoload -U \+X bashcompinit && bashcompinit\n/)
  const fish = completionScript('fish')
  expect(fish).toContain("complete -c reeve -n __fish_use_subcommand -f -a run -d 'Take tasks from words or files to a verified commit'")
  expect(fish).toContain(
    "complete -c reeve -n '__fish_seen_subcommand_from run' -l land -x -a 'none branch merge squash' -d 'how a green run lands by itself'",
  )
})
