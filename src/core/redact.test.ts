import { describe, expect, it } from 'vitest'
import { type RedactStream, redaction, redactor, spansOf } from './redact.ts'
import { SECRET_RULES } from './secret-patterns.ts'

const KEY = 'q7/Zk+3?w~Lx "9"vT2'
const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('a value that is known', () => {
  const redact = redactor([KEY])

  it.each([
    ['as it is', `a ${KEY} b`],
    ['in JSON', `a ${JSON.stringify({ k: KEY })} b`],
    ['in JSON in JSON', `a ${JSON.stringify(JSON.stringify(KEY))} b`],
    ['in a URL', `a ${encodeURIComponent(KEY)} b`],
    ['in a URL in lower case', `a ${encodeURIComponent(KEY).replaceAll(/%../g, (it) => it.toLowerCase())} b`],
    ['in a form', `a ${encodeURIComponent(KEY).replaceAll('%20', '+')} b`],
    ['as hex', `a ${Buffer.from(KEY).toString('hex')} b`],
    ['as hex in capitals', `a ${Buffer.from(KEY).toString('hex').toUpperCase()} b`],
    ['in base64url', `a ${Buffer.from(KEY).toString('base64url')} b`],
    ['wrapped by a terminal', `a ${KEY.slice(0, 9)}\n${KEY.slice(9)} b`],
  ])('is hidden %s', (_what, text) => {
    const shown = redact(text)
    expect(shown).toContain('[redacted]')
    for (let at = 0; at + 6 <= KEY.length; at++) expect(shown).not.toContain(KEY.slice(at, at + 6))
    expect(shown.startsWith('a ') && shown.endsWith(' b')).toBe(true)
  })

  it.each([0, 1, 2])('is hidden in base64 with %i bytes before it in its group', (before) => {
    for (const after of ['', 'x', 'xy']) {
      const text = base64(`${'u'.repeat(before)}${KEY}${after}`)
      const shown = redact(text)
      expect(shown, text).toContain('[redacted]')
      // A few bits at its ends belong to the neighbours too.
      expect(shown.replace('[redacted]', '').length, text).toBeLessThanOrEqual(10)
    }
  })

  it('is hidden in base64 that is wrapped after 76 characters', () => {
    const long = redactor(['0123456789abcdefghij'.repeat(5)])
    const wrapped = base64(`user:${'0123456789abcdefghij'.repeat(5)}`).replaceAll(/.{76}/g, '$&\n')
    expect(long(wrapped)).toMatch(/^.{0,8}\[redacted\].{0,4}$/)
  })

  it('of several lines is hidden line by line, and whole', () => {
    const lines = ['-----BEGIN OLD KEY-----', 'MIIBVwIBADANBgkqhkiG', '9w0BAQEFAASCAUEwggE9', '-----END OLD KEY-----']
    const pem = redactor([`${lines.join('\n')}\n`])
    expect(pem(`    ${lines[1]}\n    ${lines[2]}`)).toBe('    [redacted]\n    [redacted]')
    expect(pem(JSON.stringify(lines.join('\n')))).toBe('"[redacted]"')
    expect(pem('it has -----END OLD KEY----- in it')).toContain('-----END OLD KEY-----')
  })

  it('is hidden where a text was cut within it', () => {
    expect(redact(`curl ${KEY.slice(0, 12)}…`)).toBe('curl [redacted]…')
    expect(redact(`curl ${KEY.slice(0, 12)}`)).toBe('curl [redacted]')
    expect(redact(`${KEY.slice(6)} was wrong`)).toBe('[redacted] was wrong')
    expect(redact(`x ${KEY.slice(0, 10)}\n[... 7 characters left out ...]\n${KEY.slice(-9)} y`)).toBe(
      'x [redacted]\n[... 7 characters left out ...]\n[redacted] y',
    )
  })

  it('is hidden whole where another one is a part of it', () => {
    expect(redactor(['abcdefgh', 'abcdefgh-and-more'])('x abcdefgh-and-more')).toBe('x [redacted]')
  })

  it('that is short is a word like others', () => {
    expect(redactor(['short'])('short')).toBe('short')
  })

  it('is hidden the same when it is done twice', () => {
    const both = redaction([KEY]).redact
    const once = both(`password=${KEY} and https://ada:${encodeURIComponent(KEY)}@host/`)
    expect(both(once)).toBe(once)
  })
})

const fake = (...parts: string[]): string => parts.join('')

/** Put together here, so that no scanner of this repository finds a key. */
const FAKES: readonly (readonly [string, string])[] = [
  ['key of a model provider', fake('sk-', 'proj-a1B2c3D4e5F6g7H8i9J0')],
  ['payment key', fake('sk_', 'live_4eC39HqLyjWDarjtT1zdp7dc')],
  ['GitHub token', fake('ghp_', '16C7e42F292c6912E7710c838347Ae178B4a')],
  ['GitHub token', fake('github_', 'pat_11ABCDEFG0aBcDeFgHiJkL_mNoPqRsTuVwXyZ0123456789')],
  ['GitLab token', fake('glpat-', 'xY12_abcDEF34ghiJKL5')],
  ['Slack token', fake('xoxb-', '123456789012-abcdefGHIJKL')],
  ['key of reeve itself', fake('rv_abcd2345_', 'N3rYb1aTz0cQx8Lw5vKj2uHg7mPd4sRf6tEi9oXyBnM')],
  ['AWS key id', fake('AKIA', 'IOSFODNN7EXAMPLE')],
  ['Google key', fake('AIza', 'SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY')],
  ['token of a model hub or registry', fake('npm_', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8')],
  ['web token', fake('eyJ', 'hbGciOiJIUzI1NiJ9.eyJ', 'zdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P')],
  [
    'private key',
    fake('-----BEGIN RSA ', 'PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEowIBAAKCAQEA/b+1\n-----END RSA PRIVATE KEY-----'),
  ],
  ['authorization', 'Bearer 8f4e2a6c0b1d3f5e7a9c'],
  ['password in an address', 'postgres://ada:corr3ct-horse@db.example/x'],
  ['secret variable', 'DB_PASSWORD=correcthorse'],
  ['secret variable', "API_KEY='two words here'"],
  ['value of a secret', 'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
  ['value of a secret', '"token": "Zx81-kQ7pLm2"'],
  ['value of a secret', "password: 'h7Gk29xLqP'"],
]

describe('what looks like a secret', () => {
  it.each(FAKES)('is hidden: %s', (name, text) => {
    const rule = SECRET_RULES.find((it) => it.name === name)
    expect(rule && spansOf(rule, `so: ${text}, he said`), name).toHaveLength(1)
    expect(redaction([]).redact(`so: ${text}, he said`)).toMatch(/^so: (?:[^,]*)\[redacted\].*, he said$/)
  })

  it.each([
    'password: string',
    'password: string | undefined',
    'const token = parser.next()',
    'token = parser.nextToken',
    'apiKey: process.env.OPENAI_API_KEY',
    'api_key=API_KEY',
    'TOKEN=$(cat file)',
    'TOKEN=${TOKEN}',
    'secretName: my-secret-name',
    'token: "access_token"',
    'tokens=12345678, tokens: 9876543210',
    'expected token: Identifier at line 12',
    'if (token === TokenKind.OpenBrace2)',
    'const password = getPassword(user1)',
    'class="sk-circle-fade-dot-spinner-large"',
    'git commit 3f786850e387550fdab836ed7e6dc881de23001b',
    'Authorization: Bearer <token>',
    'authorization: `Bearer ${token}`',
    'basic functionality',
    'https://example.org:8080/a@b',
    'see RFC 7519 for eyJ and its parts',
    'password=[redacted]',
  ])('ordinary text is left alone: %s', (text) => {
    expect(redaction([]).redact(text)).toBe(text)
  })

  it('is left alone for models, which must be able to edit what they read', () => {
    const text = `const fake = '${FAKES[2]?.[1]}'`
    expect(redaction([KEY]).known(text)).toBe(text)
    expect(redaction([KEY]).known(KEY)).toBe('[redacted]')
  })

  it('a password that is a word is one for people, and a word for models', () => {
    const { redact, known } = redaction(['postgres'])
    expect(redact('as postgres')).toBe('as [redacted]')
    expect(known('image: postgres')).toBe('image: postgres')
  })
})

function through(stream: RedactStream, text: string, size: number): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += size) pieces.push(stream.add(text.slice(at, at + size)))
  return [...pieces, stream.end()]
}

describe('text in pieces', () => {
  const words = 'Some words that say nothing, again and again. '.repeat(40)

  it.each([1, 3, 7, 64, 1000])('hides a secret that is split, in pieces of %i characters', (size) => {
    const { redact, stream } = redaction([KEY])
    const text = `${words}${KEY}${words}${base64(KEY)}\n${words}DB_PASSWORD=correcthorse ${words}${FAKES[10]?.[1]}\n${words}${FAKES[9]?.[1]} end ${KEY}`
    const pieces = through(stream(), text, size)
    expect(pieces.join('')).toBe(redact(text))
    expect(pieces.join('').match(/\[redacted\]/g)).toHaveLength(6)
  })

  it('passes on what came long before, and not only at the end', () => {
    const pieces = through(redaction([KEY]).stream(), words.repeat(4), 50)
    expect(pieces.filter((it) => it !== '').length).toBeGreaterThan(5)
  })

  it('does not hold back for ever what never ends', () => {
    const stream = redaction([KEY]).stream()
    const held = 'x'.repeat(200_000)
    expect(stream.add(held).length).toBeGreaterThan(100_000)
  })
})
