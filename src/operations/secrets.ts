import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../config/home.ts'
import { redaction } from '../core/redact.ts'
import type { Secrets } from './context.ts'
import { loginsOf } from './logins.ts'

// Names that say outright that the value lets somebody in. A PWD alone is where the shell is.
const SECRET_NAME =
  /(?:^|_)(?:API_?KEY|ACCESS_KEY|KEY|TOKEN|AUTH_?TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASS|CREDENTIALS?|PAT|COOKIE)$|_(?:PWD|AUTH)$/i
// `https://ada:password@proxy`, in a variable of any name.
const ADDRESS = /:\/\/[^\s/:@]{0,200}:([^\s/@]{1,500})@/g

const AGAIN_MS = 60_000

/** What is redacted: the values of telling variables, what the settings name, what the user logs in with. Grows while the process lives. */
export function createSecrets(env: Env): Secrets {
  const known = new Set(secretsOf(env))
  let current = redaction([...known])
  let files: { at: number; read: Promise<void> } | null = null
  const learn = (values: readonly string[]): void => {
    const before = known.size
    for (const it of values) known.add(it)
    if (known.size > before) current = redaction([...known])
  }
  return {
    learn,
    learnFiles() {
      const now = performance.now()
      // A daemon lives for weeks: whoever logs in again meanwhile has another secret.
      if (files === null || now - files.at > AGAIN_MS)
        files = { at: now, read: loginsOf(env['HOME'] ?? homedir(), userFiles(env)).then(learn) }
      return files.read
    },
    redact: (text) => current.redact(text),
    known: (text) => current.known(text),
    stream: () => current.stream(),
  }
}

/** What an environment holds that lets somebody in. */
export function secretsOf(env: Env): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : secretsIn(name, value)))
}

function secretsIn(name: string, value: string): string[] {
  const inside = [...value.matchAll(ADDRESS)].map((it) => decoded(it[1] ?? ''))
  return SECRET_NAME.test(name) ? [value, ...inside] : inside
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Files that the environment puts elsewhere. */
function userFiles(env: Env): string[] {
  const named = ['npm_config_userconfig', 'NPM_CONFIG_USERCONFIG', 'PIP_CONFIG_FILE', 'NETRC'].flatMap((it) => env[it] ?? [])
  const folder = env['XDG_CONFIG_HOME']
  return folder === undefined ? named : [...named, join(folder, 'pip/pip.conf'), join(folder, 'gh/hosts.yml')]
}
