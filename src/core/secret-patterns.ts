/**
 * What a secret looks like that nobody told us of. Each pattern is read in one pass: it begins at a place that cannot begin inside its own
 * match, and repeats nothing twice (`attack 51` doubles hostile texts of a megabyte). The reason for rules of our own: docs/decisions/0011.
 */
export interface SecretRule {
  name: string
  /** Global. The secret is the group `value`, or all of it. */
  pattern: RegExp
  /** Says no to what only stands where a secret would stand. */
  accept?: (value: string) => boolean
}

/** Not within a longer word. */
const ALONE = '(?<![A-Za-z0-9_-])'

function made(name: string, body: string): SecretRule {
  return { name, pattern: new RegExp(ALONE + body, 'g'), accept: (it) => /\d/.test(it) && /[A-Za-z]/.test(it) }
}

const WORDS = 'password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|authorization|credential'

export const SECRET_RULES: readonly SecretRule[] = [
  { name: 'key of a model provider', pattern: new RegExp(`${ALONE}sk-[A-Za-z0-9_-]{20,}`, 'g'), accept: looksRandom },
  made('payment key', '(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}'),
  made('GitHub token', '(?:gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})'),
  made('GitLab token', 'gl(?:pat|ptt|dt|rt|cbt|soat)-[A-Za-z0-9_-]{20,}'),
  made('key of reeve itself', 'rv_[0-9a-z]{8}_[A-Za-z0-9_-]{43}'),
  made('Slack token', 'xox[abeprs]-[A-Za-z0-9-]{10,}'),
  made('AWS key id', '(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])'),
  made('Google key', 'AIza[A-Za-z0-9_-]{35}'),
  made(
    'token of a model hub or registry',
    '(?:hf_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{40,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|dop_v1_[a-f0-9]{64})',
  ),
  made('web token', 'eyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]*'),
  {
    name: 'private key',
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\\\s:,]*(?:-(?!-)[A-Za-z0-9+/=\\\s:,]*)*(?:-----END [A-Z0-9 ]{0,50}-----)?/g,
  },
  {
    name: 'authorization',
    pattern: /(?<![A-Za-z])(?:bearer|basic)[^\S\n]{1,4}(?<value>[A-Za-z0-9._~+/=-]{8,})/gi,
    accept: looksRandom,
  },
  {
    name: 'password in an address',
    pattern: /:\/\/[^\s/:@"'<>]{0,128}:(?<value>[^\s/@"'<>]{3,256})@/g,
    accept: (it) => !isPlaceholder(it),
  },
  {
    // `DB_PASSWORD=correcthorse`, as shells and .env files have it: no code is written like this.
    name: 'secret variable',
    pattern:
      /(?<![A-Za-z])(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|SECRET_KEY)=(?<value>"[^"\n]{6,512}"|'[^'\n]{6,512}'|[^\s"'`;&|]{5,}[^\s"'`;&|,.])/g,
    accept: (it) => !isPlaceholder(unquoted(it)) && !/[()]/.test(it) && !/^[A-Z_]+$/.test(unquoted(it)),
  },
  {
    name: 'value of a secret',
    pattern: new RegExp(
      `(?:${WORDS})\\\\{0,2}["'\`]?[^\\S\\n]{0,4}[:=]{1,2}[^\\S\\n]{0,4}\\\\{0,2}["'\`]?(?<value>[A-Za-z0-9+/_=.~!@#$%^&*:-]{8,})`,
      'gi',
    ),
    accept: looksRandom,
  },
]

function unquoted(value: string): string {
  return value.replaceAll(/^["']|["']$/g, '')
}

/** `${NAME}`, `$NAME`, `<key>`, `%s`, `***`, `xxxx`, `[redacted]`, a name of the code. */
function isPlaceholder(value: string): boolean {
  return /^(?:\$|<|%|\{|\[|\*+$|[xX.]+$|(?:process\.env|os\.environ|env|true|false|null|none|undefined|redacted)\b)/.test(value)
}

/** Letters and digits mixed as nobody writes a name: `password: string`, `token = parser.next`, `Secret2` and `v1.2` are not. */
export function looksRandom(value: string): boolean {
  const word = value.replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
  if (word.length < 8 || isPlaceholder(value)) return false
  if (!/\d/.test(word) || !/[A-Za-z]/.test(word)) return false
  // Words, perhaps with a number behind: names of code, of files, of tests.
  if (/^[A-Za-z]+(?:[._$/:-][A-Za-z]+)*[._$/:-]?\d{0,4}$/.test(word.slice(0, 200))) return false
  return entropy(word.slice(0, 200)) >= 2.75
}

/** Bits per character. */
function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const it of text) counts.set(it, (counts.get(it) ?? 0) + 1)
  return [...counts.values()].reduce((sum, it) => sum - (it / text.length) * Math.log2(it / text.length), 0)
}
