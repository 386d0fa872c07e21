/**
 * Text from outside (agents, models, programs, files, task files) made harmless for where it goes: the one place that knows how. What was
 * there is shown, not dropped in silence: a person or a model must be able to notice it.
 *
 * Hidden are control characters, lone halves of surrogate pairs, and everything that Unicode calls ignorable: marks that reorder what is
 * read, characters without width, tags, variation selectors. Kept are those of them that ordinary text needs.
 */

// C0 without tab and line feed, DEL, C1; lone surrogates; separators of lines and paragraphs; annotations; what is drawn as nothing.
const HIDDEN = String.raw`[\u0000-\u0008\u000B-\u001F\u007F-\u009F\uD800-\uDFFF\u2028\u2029\uFFF9-\uFFFB\p{Default_Ignorable_Code_Point}]`

// One picture with its style or skin, or several joined to one; a digit in a key; the flags of England, Scotland and Wales.
const PICTURE = String.raw`\p{Extended_Pictographic}[\uFE0E\uFE0F\u{1F3FB}-\u{1F3FF}]?`
const EMOJI = String.raw`${PICTURE}(?:\u200D${PICTURE})*|[0-9#*]\uFE0F\u20E3`
const FLAG = String.raw`\u{1F3F4}\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}`
// Scripts whose letters are joined or kept apart by a character without width; one of them, never a row.
const JOINING = ['Arab', 'Syrc', 'Nkoo', 'Mong', 'Deva', 'Beng', 'Guru', 'Gujr', 'Orya', 'Taml', 'Telu', 'Knda', 'Mlym', 'Sinh']
  .map((it) => String.raw`\p{scx=${it}}`)
  .join('')
const JOINED = String.raw`(?<=[${JOINING}])[\u200C\u200D]|\p{scx=Mong}[\u180B-\u180D\u180F]|\p{scx=Hani}[\uFE00-\uFE02\u{E0100}-\u{E01EF}]`

const TEXT = new RegExp(`(${FLAG}|${EMOJI}|${JOINED})|${HIDDEN}`, 'gu')
// A quick look: most text has nothing to hide.
const ANY_HIDDEN = new RegExp(HIDDEN, 'u')

function neutral(text: string, escape: (code: number) => string): string {
  const lines = text.replaceAll('\r\n', '\n')
  if (!ANY_HIDDEN.test(lines)) return lines
  return lines.replaceAll(TEXT, (found, kept: string | undefined) => kept ?? escape(found.codePointAt(0) ?? 0))
}

/** For people, on a terminal or in a file: `\x1b`, `\u202e`, `\u{e0041}`. May have several lines. */
export function visible(text: string): string {
  return neutral(text, (code) => {
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** The same on one line; line breaks and runs of blanks become one space. */
export function oneLine(text: string): string {
  return visible(text.replaceAll(/\s+/g, ' ').trim())
}

/**
 * For models: `<U+202E>`, which no source text means by itself as it might `\u202e`, and a remark that says so. Everything else is as it
 * was, so that what is read can be edited.
 */
export function forModel(text: string): string {
  let count = 0
  const shown = neutral(text, (code) => {
    count += 1
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
  })
  if (count === 0) return shown
  const what = count === 1 ? '1 invisible or control character is' : `${count} invisible or control characters are`
  return `${shown}\n(${what} shown above as <U+...>; in the text itself stands the character.)`
}

// A command to a CI runner begins a line (`::set-output`), or stands anywhere in it (`##[command]`, `##vso[`, `##teamcity[`).
const LINE_COMMAND = /^([^\S\n]*):(?=:)/gm
const INLINE_COMMAND = /##(?=\w{0,20}\[)/g

/** Lines of ours on their way to a terminal: nothing in them is a command to a CI runner, and no sequence is left but our colours. */
export function forTerminal(lines: string): string {
  // oxlint-disable-next-line no-control-regex -- our own colours
  const parts = lines.split(/(\u001B\[[0-9;]*m)/)
  return forRunner(parts.map((it, at) => (at % 2 === 1 ? it : visible(it))).join(''))
}

/** Text whose lines are not taken for commands by the CI runner that prints them; else as it is. */
export function forRunner(text: string): string {
  return text.replaceAll(LINE_COMMAND, '$1\\x3a').replaceAll(INLINE_COMMAND, '\\x23#')
}

const JSON_HIDDEN = new RegExp(HIDDEN, 'gu')

/** JSON in ASCII wherever a character is hidden: the value is the same, the text shows and does nothing. */
export function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent) ?? 'null'
  return text.replaceAll(JSON_HIDDEN, inUnits).replaceAll(INLINE_COMMAND, String.raw`#\u0023`)
}

function inUnits(character: string): string {
  return character
    .split('')
    .map((it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}

// People, teams and issues are told, closed or linked by what stands in a description or a commit. A blank keeps it readable and inert.
const MENTION = /(?<![A-Za-z0-9])@(?=[A-Za-z0-9_])/g
const REFERENCE = /#(?=\d{1,9}(?![0-9A-Za-z]))|\bGH-(?=\d)|\/(?:issues|pull|merge_requests)\/(?=\d)/gi

function inert(text: string): string {
  return text.replaceAll(MENTION, '@ ').replaceAll(REFERENCE, '$& ')
}

/** One line inside Markdown (a card, the body of a pull request): no HTML, link, image or code, no mention, no closing of issues. */
export function inMarkdown(text: string): string {
  return forRunner(inert(oneLine(text)))
    .replaceAll(/\\(?=[!-/:-@[-`{-~]|$)/g, '\\\\')
    .replaceAll(/[`|]|\](?=[([:])/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}

// What reads a commit's message takes these lines for facts; the trailers are written by us and by nobody else.
const TRAILER = /^[^\S\n]*(?=(?:reeve-[\w-]+|[\w-]{1,60}-by|skip-checks|change-id)[^\S\n]*:)/gim
const SKIPS = /\[(?=(?:skip|no)[ -]?ci\]|ci[ -]?(?:skip|no)\]|skip actions\]|actions skip\])/gi

/** Words of others in a commit message: no trailer of ours, no mention, no closing of issues, no word that keeps CI from running. */
export function inCommit(text: string): string {
  return inert(visible(text)).replaceAll(TRAILER, '> ').replaceAll(SKIPS, '[ ')
}
