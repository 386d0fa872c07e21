/** Gives a bug to reeve, then checks by itself what came back. Exits non-zero when anything is not as promised. Run: node examples/fix-a-bug/run.ts */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const HERE = import.meta.dirname
const REEVE = join(HERE, '../../src/main.ts')

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fix-a-bug-')))
const project = join(folder, 'project')
// The code of this example is ours: it may run where there is no sandbox of the operating system.
const env = { ...process.env, REEVE_HOME: join(folder, 'state'), REEVE_FOREGROUND: '1', REEVE_SANDBOX__MINIMUM: 'guarded' }

function start(program: string, args: readonly string[], cwd = project): { code: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' })
  return { code: status, text: `${stdout}${stderr}`.trim() }
}

function git(...args: string[]): string {
  const { code, text } = start('git', [
    '-c',
    'user.name=You',
    '-c',
    'user.email=you@example.invalid',
    '-c',
    'commit.gpgsign=false',
    ...args,
  ])
  assert.equal(code, 0, text)
  return text
}

const reeve = (...args: string[]) => start(process.execPath, ['--disable-warning=ExperimentalWarning', REEVE, ...args])

function check(what: string, fn: () => void): void {
  fn()
  console.log(`ok  ${what}`)
}

try {
  for (const it of ['project', 'replies.yaml', 'task.yaml']) cpSync(join(HERE, it), join(folder, it), { recursive: true })
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-q', '-m', 'First commit')
  const before = git('rev-parse', 'HEAD')

  const ran = reeve('run', '--file', '../task.yaml')
  check('reeve takes the bug to a green verdict', () => assert.equal(ran.code, 0, ran.text))
  const run = JSON.parse(reeve('show', 'last', '--json').text) as {
    attempts: number
    branch: string
    verdict: { redProof: { status: string; red: string[] } }
  }
  check('the first attempt, which only claimed to be right, was rejected', () => assert.equal(run.attempts, 2))
  check('the new test is proved: red without the fix, green with it', () => {
    assert.equal(run.verdict.redProof.status, 'proved')
    assert.match(run.verdict.redProof.red.join(), /rounds half cents up/)
  })

  check('the checkout was not touched', () => {
    assert.equal(git('status', '--porcelain'), '')
    assert.equal(git('rev-parse', 'HEAD'), before)
  })
  check('the branch holds the fix and its test, nothing else', () => {
    assert.deepEqual(git('diff', '--name-only', 'main', run.branch).split('\n'), ['src/till.js', 'test/rounding.test.js'])
  })
  check('without reeve: the new test fails on the old code', () => {
    git('checkout', '-q', run.branch, '--', 'test/rounding.test.js')
    assert.notEqual(start('npm', ['test']).code, 0)
    git('reset', '-q', '--hard')
  })

  const verified = reeve('verify', 'last')
  check('everything done again in a clean clone agrees', () => assert.match(verified.text, /\bMATCH\b/))
  const landed = reeve('land', 'last', '--squash')
  check('it lands as one commit on request', () => {
    assert.equal(landed.code, 0, landed.text)
    assert.equal(git('rev-list', '--count', 'main'), '2')
    assert.match(readFileSync(join(project, 'src/till.js'), 'utf8'), /Math\.round/)
  })
  const tests = start('npm', ['test'])
  check('all tests pass in the checkout', () => assert.equal(tests.code, 0, tests.text))
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
