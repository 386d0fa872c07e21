import { expect, it, onTestFinished, vi } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { ADAPTERS } from '../agents/cli/adapters.ts'
import { LOGIN_FILES, loginsOf } from './logins.ts'
import { createSecrets } from './secrets.ts'

const FILES = {
  '.npmrc': `registry=https://npm.example/\n//npm.example/:_authToken=npm-token-11\n//b.example/:_password=${Buffer.from('plain-pass-12').toString('base64')}\n//c.example/:_authToken=\${NPM_TOKEN}\n`,
  '.netrc': 'machine git.example\n  login ada\n  password netrc-pass-13\n',
  '.git-credentials': 'https://ada:git-pass-14@git.example\n',
  '.config/pip/pip.conf': '[global]\nindex-url = https://ada:pip-pass-15@pypi.example/simple\n',
  '.config/gh/hosts.yml': 'git.example:\n    oauth_token: gh-token-16\n    user: ada\n',
  '.cargo/credentials.toml': '[registry]\ntoken = "cargo-token-17"\n',
  '.aws/credentials': '[default]\naws_secret_access_key = aws-secret-18\n',
  '.docker/config.json': `{"auths":{"r.example":{"auth":"${Buffer.from('ada:docker-pass-19').toString('base64')}"}}}`,
}

it('knows what the user logs in with, from the files of package managers, git and services', async () => {
  const home = temporaryFolder()
  writeFiles(home, FILES)
  const found = await loginsOf(home)
  expect(found).toEqual(
    expect.arrayContaining([
      'npm-token-11',
      'plain-pass-12',
      'netrc-pass-13',
      'git-pass-14',
      'pip-pass-15',
      'gh-token-16',
      'cargo-token-17',
      'aws-secret-18',
      'docker-pass-19',
    ]),
  )
  expect(found.join(' ')).not.toContain('NPM_TOKEN')
})

it('learns them once they are asked for, also where a variable puts the file, and nothing where there is none', async () => {
  const home = temporaryFolder()
  writeFiles(home, { 'own.npmrc': '//npm.example/:_authToken=elsewhere-21\n', '.netrc': 'machine a password netrc-pass-22\n' })
  const secrets = createSecrets({ HOME: home, npm_config_userconfig: `${home}/own.npmrc` })
  expect(secrets.redact('elsewhere-21 netrc-pass-22')).toBe('elsewhere-21 netrc-pass-22')
  await secrets.learnFiles()
  expect(secrets.redact('elsewhere-21 netrc-pass-22')).toBe('[redacted] [redacted]')
  expect(secrets.known('elsewhere-21')).toBe('[redacted]')
  await expect(createSecrets({ HOME: `${home}/nowhere` }).learnFiles()).resolves.toBeUndefined()
})

it('50: learns what was logged in with later, since a daemon lives for weeks', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const home = temporaryFolder()
  const secrets = createSecrets({ HOME: home })
  await secrets.learnFiles()
  writeFiles(home, { '.netrc': 'machine a password netrc-pass-23\n' })
  vi.advanceTimersByTime(61_000)
  await secrets.learnFiles()
  expect(secrets.redact('netrc-pass-23')).toBe('[redacted]')
})

it('knows variables by their names, and passwords in any address', () => {
  const secrets = createSecrets({
    MY_API_KEY: 'value-aaaa1',
    DB_PWD: 'value-bbbb2',
    npm_config__authToken: 'value-cccc3',
    HTTPS_PROXY: 'http://ada:p%40ss-dddd4@proxy.example:8080',
    PWD: '/home/ada/project',
    KEYBOARD: 'de-latin1-nodeadkeys',
  })
  const text = 'value-aaaa1 value-bbbb2 value-cccc3 p@ss-dddd4 /home/ada/project de-latin1-nodeadkeys'
  expect(secrets.known(text)).toBe('[redacted] [redacted] [redacted] [redacted] /home/ada/project de-latin1-nodeadkeys')
})

it('knows the log-ins of CLI agents, which are shown such a log-in', async () => {
  const home = temporaryFolder()
  writeFiles(home, {
    '.claude/.credentials.json':
      '{"claudeAiOauth":{"accessToken":"claude-access-31","refreshToken":"claude-refresh-32","scopes":["user"]}}',
    '.codex/auth.json': '{"OPENAI_API_KEY": "codex-key-33", "tokens": {"access_token": "codex-access-34"}}',
    '.local/share/opencode/auth.json':
      '{"a":{"type":"oauth","refresh":"oc-refresh-35","access":"oc-access-36"},"b":{"type":"api","key":"oc-key-37"}}',
    '.npmrc': 'access=restricted\n',
  })
  const found = await loginsOf(home)
  expect(found.filter((it) => /-3\d$/.test(it)).toSorted()).toEqual(
    ['claude-access-31', 'claude-refresh-32', 'codex-access-34', 'codex-key-33', 'oc-access-36', 'oc-key-37', 'oc-refresh-35'].toSorted(),
  )
  expect(found).not.toContain('restricted')
  // Who one is, and what is kept encrypted, is no secret of this kind.
  const others = ['.gemini/google_accounts.json', '.factory/auth.encrypted']
  const shown = ADAPTERS.flatMap((it) => it.login?.paths ?? [])
  expect(shown.filter((it) => !LOGIN_FILES.includes(it) && !others.includes(it))).toEqual([])
})
