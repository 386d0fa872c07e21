import { formsOf, MIN_SECRET } from './secret-forms.ts'
import { SECRET_RULES, type SecretRule } from './secret-patterns.ts'

/** Replaces what is secret in a text by `[redacted]`. */
export type Redact = (text: string) => string

/** The same for text that comes in pieces: a secret may be split over two of them. */
export interface RedactStream {
  /** What can be passed on by now, '' when it is not yet known. */
  add: (text: string) => string
  /** The rest. */
  end: () => string
}

/** What is done about secrets by those who pass text on. */
export interface Redaction {
  /** For people, logs and events: values that are known, and what looks like a secret. */
  redact: Redact
  /** For models: only values that are known and no mere words, since a model must be able to edit what it reads. */
  known: Redact
  stream: () => RedactStream
}

const MARK = '[redacted]'

/** For callers that have no secrets. */
export const NO_REDACTION: Redaction = {
  redact: (text) => text,
  known: (text) => text,
  stream: () => ({ add: (text) => text, end: () => '' }),
}

/** A function that replaces each of these values, in every form of `formsOf`, the longest first. */
export function redactor(secrets: readonly string[]): Redact {
  return redaction(secrets, []).redact
}

/** A word that stands in code as well: `POSTGRES_PASSWORD=postgres`. A model that reads it as secret would write that into a file. */
const WORD = /^[A-Za-z]{1,16}$/

/** Everything about these secrets, and about what the rules find. */
export function redaction(secrets: readonly string[], rules: readonly SecretRule[] = SECRET_RULES): Redaction {
  const values = secrets.map((it) => it.trim()).filter((it) => it.length >= MIN_SECRET)
  const forms = allForms(values)
  const strong = allForms(values.filter((it) => !WORD.test(it)))
  const longest = forms[0]?.length ?? 0
  return {
    redact: remembered((text) => replaced(text, [...knownIn(text, forms), ...cutIn(text, forms), ...ruledIn(text, rules)])),
    known: (text) => (strong.length === 0 ? text : replaced(text, [...knownIn(text, strong), ...cutIn(text, strong)])),
    stream: () => redactStream((text) => [...knownIn(text, forms), ...ruledIn(text, rules)], longest),
  }
}

// Titles of lists, names of steps, types of events: the same short texts come again and again, and forty patterns look at each.
const SHORT = 200
const MOST_REMEMBERED = 5000

function remembered(redact: Redact): Redact {
  const known = new Map<string, string>()
  return (text) => {
    if (text.length > SHORT) return redact(text)
    const before = known.get(text)
    if (before !== undefined) return before
    const result = redact(text)
    if (known.size >= MOST_REMEMBERED) known.clear()
    known.set(text, result)
    return result
  }
}

function allForms(values: readonly string[]): string[] {
  return [...new Set(values.flatMap(formsOf))].toSorted((a, b) => b.length - a.length)
}

/** A value with every text in it redacted. */
export function redactAll<T>(value: T, redact: Redact): T {
  if (typeof value === 'string') return redact(value) as T
  if (Array.isArray(value)) return value.map((it: unknown) => redactAll(it, redact)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, redactAll<unknown>(it, redact)])) as T
}

/** `begin`: where what tells it begins, such as the name before a value. */
type Span = readonly [from: number, to: number, begin: number]

function span(from: number, to: number): Span {
  return [from, to, from]
}

function replaced(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text
  let result = ''
  let at = 0
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0] || b[1] - a[1])) {
    // Within the one before, or over its end.
    if (from >= at) result += text.slice(at, from) + MARK
    at = Math.max(at, to)
  }
  return result + text.slice(at)
}

/** Where known values stand. Looks over line breaks: long values are wrapped by those who print them. */
function knownIn(text: string, forms: readonly string[]): Span[] {
  if (forms.length === 0) return []
  const { joined, placeOf } = withoutBreaks(text)
  const spans: Span[] = []
  for (const form of forms)
    for (let at = joined.indexOf(form); at >= 0; at = joined.indexOf(form, at + form.length))
      spans.push(span(placeOf(at), placeOf(at + form.length - 1) + 1))
  return spans
}

function withoutBreaks(text: string): { joined: string; placeOf: (at: number) => number } {
  if (!/[\r\n]/.test(text)) return { joined: text, placeOf: (at) => at }
  const breaks: number[] = []
  const joined = text.replaceAll(/[\r\n]+/g, (found, at: number) => {
    for (let more = 0; more < found.length; more++) breaks.push(at + more)
    return ''
  })
  // A place in the text is that in the joined text and the breaks before it.
  const placeOf = (at: number): number => {
    let [low, high] = [0, breaks.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((breaks[middle] ?? 0) - middle <= at) low = middle + 1
      else high = middle
    }
    return at + low
  }
  return { joined, placeOf }
}

/** Where a text was cut by somebody, before or after us: its ends, and what says that something is missing. */
const CUT = /…|\[\.\.\. [^\]\n]{1,60}\]/g
const MOST_CUTS = 100

/** Where the beginning or the end of a known value stands at a cut: half a key is still most of a key. */
function cutIn(text: string, forms: readonly string[]): Span[] {
  if (forms.length === 0 || text.length < MIN_SECRET) return []
  const spans: Span[] = []
  const before = (place: number): void => {
    const end = text.slice(0, place).trimEnd().length
    const known = longestEnd(text.slice(Math.max(0, end - LONGEST_HALF), end), forms)
    if (known > 0) spans.push(span(end - known, end))
  }
  const after = (place: number): void => {
    const rest = text.slice(place, place + LONGEST_HALF)
    const from = place + rest.length - rest.trimStart().length
    const known = longestStart(text.slice(from, from + LONGEST_HALF), forms)
    if (known > 0) spans.push(span(from, from + known))
  }
  before(text.length)
  after(0)
  for (const found of [...text.slice(0, CUTS_WITHIN).matchAll(CUT)].slice(0, MOST_CUTS)) {
    before(found.index)
    after(found.index + found[0].length)
  }
  return spans
}

// A cut text is short by its nature; what is longer was put together from several.
const CUTS_WITHIN = 200_000
const LONGEST_HALF = 4096

/** Characters at the end of `text` that begin a value. */
function longestEnd(text: string, forms: readonly string[]): number {
  const last = text.slice(-MIN_SECRET)
  const fits = (form: string, at: number): number => (text.endsWith(form.slice(0, at + MIN_SECRET)) ? at + MIN_SECRET : 0)
  return longestPart(last, forms, fits)
}

/** Characters at the start of `text` that end a value. */
function longestStart(text: string, forms: readonly string[]): number {
  const first = text.slice(0, MIN_SECRET)
  const fits = (form: string, at: number): number => (text.startsWith(form.slice(at)) ? form.length - at : 0)
  return longestPart(first, forms, fits)
}

function longestPart(piece: string, forms: readonly string[], fits: (form: string, at: number) => number): number {
  if (piece.length < MIN_SECRET) return 0
  let most = 0
  for (const form of forms)
    for (let at = form.indexOf(piece); at >= 0; at = form.indexOf(piece, at + 1)) most = Math.max(most, fits(form, at))
  return most
}

function ruledIn(text: string, rules: readonly SecretRule[]): Span[] {
  return rules.flatMap((rule) => spansOf(rule, text))
}

/** Where one rule finds a secret. */
export function spansOf({ pattern, accept }: SecretRule, text: string): Span[] {
  const spans: Span[] = []
  for (const found of text.matchAll(pattern)) {
    const value = found.groups?.['value'] ?? found[0]
    if (accept && !accept(value)) continue
    const from = found.index + found[0].lastIndexOf(value)
    spans.push([from, from + value.length, found.index])
  }
  return spans
}

// What a rule needs to see of a line to know a secret by its name.
const LEAST_WINDOW = 256
// A word may turn out to be a key at its end.
const LONGEST_WORD = 4096
// A key that does not end is none; nobody waits for more.
const MOST_HELD = 65_536

/** Passes on what is farther from the end than the longest secret, and nothing that a secret reaches over. */
function redactStream(find: (text: string) => Span[], longest: number): RedactStream {
  // Twice: a value may come in lines.
  const window = Math.max(LEAST_WINDOW, longest * 2)
  let held = ''
  return {
    add(text) {
      held += text
      // Looked at when there is as much to pass on as to hold back, so that each character is looked at about twice.
      if (held.length < 2 * window) return ''
      const spans = find(held)
      const cut = held.length > MOST_HELD ? held.length : safeCut(held, held.length - window, spans)
      const out = replaced(
        held.slice(0, cut),
        spans.filter(([, to]) => to <= cut),
      )
      held = held.slice(cut)
      return out
    },
    end() {
      const out = replaced(held, find(held))
      held = ''
      return out
    },
  }
}

/** The last place before `wanted` that is in no word and in nothing that was found. */
function safeCut(text: string, wanted: number, spans: readonly Span[]): number {
  const word = /\S*$/.exec(text.slice(Math.max(0, wanted - LONGEST_WORD), wanted))?.[0].length ?? 0
  let cut = word < LONGEST_WORD ? wanted - word : wanted
  for (const [, to, begin] of spans.toSorted((a, b) => b[2] - a[2])) if (begin < cut && to > cut) cut = begin
  return cut
}
