import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Files below the home in which package managers, git, command lines of services and CLI agents keep what they log in with. */
export const LOGIN_FILES: readonly string[] = [
  '.npmrc',
  '.yarnrc.yml',
  '.netrc',
  '.pypirc',
  '.pip/pip.conf',
  '.config/pip/pip.conf',
  '.git-credentials',
  '.config/gh/hosts.yml',
  '.cargo/credentials.toml',
  '.aws/credentials',
  '.docker/config.json',
  '.claude/.credentials.json',
  '.codex/auth.json',
  '.gemini/oauth_creds.json',
  '.local/share/opencode/auth.json',
  '.qwen/oauth_creds.json',
  '.copilot/config.json',
  '.pi/agent/auth.json',
  '.continue/auth.json',
  '.cline/data/settings/providers.json',
  '.factory/auth.json',
  '.config/cursor/auth.json',
  '.cursor/cli-config.json',
]
// Configuration of people; what is larger is none.
const LARGEST = 256 * 1024

// `//host/:_authToken=…`, `password = …`, `oauth_token: …`, `"auth": "…"`, `password …` of a .netrc.
const VALUE =
  /(?:_authToken|npmAuthToken|_password|_auth|oauth_token|aws_secret_access_key|aws_session_token|password|token|auth)"?\s{0,8}[=:\s]\s{0,8}"?([^\s"']{8,4096})/gi
// `"access": "…"`, `"key": "…"`, `"OPENAI_API_KEY": "…"`: these words stand for other things where they are not names in JSON.
const IN_JSON = /"(?:access|refresh|key|\w{0,40}api_?key)"\s{0,8}:\s{0,8}"([^\s"]{8,4096})"/gi
const ADDRESS = /:\/\/[^\s/:@]{0,200}:([^\s/@]{8,500})@/g

/** The secrets in these files of a user: looked up once, so that they are known wherever they turn up. Never throws. */
export async function loginsOf(home: string, more: readonly string[] = []): Promise<string[]> {
  const paths = [...LOGIN_FILES.map((it) => join(home, it)), ...more]
  return (await Promise.all(paths.map(textOf))).flatMap(secretsIn)
}

async function textOf(path: string): Promise<string> {
  try {
    const found = await stat(path)
    return found.isFile() && found.size <= LARGEST ? await readFile(path, 'utf8') : ''
  } catch {
    // Not there, or not for us to read: then nobody whom we start reads it either.
    return ''
  }
}

function secretsIn(text: string): string[] {
  const values = [VALUE, IN_JSON, ADDRESS]
    .flatMap((it) => [...text.matchAll(it)])
    .map((it) => it[1] ?? '')
    .filter((it) => !it.includes('${'))
  return values.flatMap((it) => [it, ...plain(it)])
}

/** `_auth` and `_password` of npm are base64 of a password, or of a name and one. */
function plain(value: string): string[] {
  if (!/^[A-Za-z0-9+/]{8,}={0,2}$/.test(value)) return []
  const text = Buffer.from(value, 'base64').toString('utf8')
  return /^[\x20-\x7E]{8,}$/.test(text) ? [text, text.slice(text.indexOf(':') + 1)] : []
}
