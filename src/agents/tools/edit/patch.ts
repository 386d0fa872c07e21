/** One file of a patch, whatever form it was written in. */
export type FilePatch =
  | { kind: 'add'; path: string; text: string }
  | { kind: 'delete'; path: string }
  | { kind: 'update'; path: string; moveTo: string | null; hunks: Hunk[] }

/** A piece to replace. `atLine`: where the patch says it is (from 1); `anchors`: lines that come before it, in order. */
export interface Hunk {
  old: string[]
  new: string[]
  atLine: number | null
  anchors: string[]
}

export type ParsedPatch = { ok: true; files: FilePatch[] } | { ok: false; problem: string }

const EMPTY = 'the patch names no file; give a unified diff ("--- a/x", "+++ b/x", "@@ … @@") or a "*** Begin Patch" envelope.'

/** Reads a unified diff or a `*** Begin Patch` envelope. What cannot be read is a sentence with its line. */
export function parsePatch(text: string): ParsedPatch {
  const lines = withoutFence(text.replaceAll('\r\n', '\n')).split('\n')
  try {
    const files = lines.some((it) => it.startsWith('*** Begin Patch')) ? parseEnvelope(lines) : parseUnified(lines)
    return files.length === 0 ? { ok: false, problem: EMPTY } : { ok: true, files }
  } catch (error) {
    if (error instanceof PatchMistake) return { ok: false, problem: error.message }
    throw error
  }
}

class PatchMistake extends Error {}

function mistake(at: number, what: string): never {
  throw new PatchMistake(`line ${at + 1} of the patch: ${what}`)
}

function withoutFence(text: string): string {
  return /^\s*```\w*\n([\s\S]*?)\n```\s*$/.exec(text)?.[1] ?? text
}

/** `*** Add File`, `*** Delete File`, `*** Update File` with `@@ anchor` lines. */
function parseEnvelope(lines: readonly string[]): FilePatch[] {
  const files: FilePatch[] = []
  let at = lines.findIndex((it) => it.startsWith('*** Begin Patch')) + 1
  while (at < lines.length && !lines[at]?.startsWith('*** End Patch')) {
    const [, verb, path] = /^\*\*\* (Add|Delete|Update) File: (.+)$/.exec((lines[at] ?? '').trimEnd()) ?? []
    if (verb === undefined || path === undefined) {
      if ((lines[at] ?? '').trim() === '') {
        at += 1
        continue
      }
      mistake(at, `expected "*** Add File:", "*** Update File:", "*** Delete File:" or "*** End Patch", found \`${lines[at]}\``)
    }
    const end = nextHeader(lines, at + 1)
    const body = lines.slice(at + 1, end)
    if (verb === 'Delete') files.push({ kind: 'delete', path })
    else if (verb === 'Add') files.push({ kind: 'add', path, text: addedText(body, at + 1) })
    else files.push(updateOf(path, body, at + 1))
    at = end
  }
  return files
}

function nextHeader(lines: readonly string[], from: number): number {
  const at = lines.findIndex((it, index) => index >= from && /^\*\*\* (Add File|Delete File|Update File|End Patch)/.test(it))
  return at < 0 ? lines.length : at
}

function addedText(body: readonly string[], at: number): string {
  const lines = trimBlankEnd(body)
  for (const [offset, line] of lines.entries()) {
    if (!line.startsWith('+')) mistake(at + offset, `every line of a new file begins with "+", found \`${line}\``)
  }
  return lines.map((it) => `${it.slice(1)}\n`).join('')
}

function updateOf(path: string, body: readonly string[], at: number): FilePatch {
  const moveTo = /^\*\*\* Move to: (.+)$/.exec(body[0]?.trimEnd() ?? '')?.[1] ?? null
  const rest = moveTo === null ? body : body.slice(1)
  return { kind: 'update', path, moveTo, hunks: hunksOf(trimBlankEnd(rest), moveTo === null ? at : at + 1) }
}

function trimBlankEnd(lines: readonly string[]): string[] {
  return lines.slice(0, lines.findLastIndex((it) => it !== '') + 1)
}

/** Hunks of either form: `@@ -1,2 +1,3 @@ heading`, `@@ anchor`, `@@`. */
function hunksOf(body: readonly string[], at: number): Hunk[] {
  const hunks: Hunk[] = []
  let current: Hunk = { old: [], new: [], atLine: null, anchors: [] }
  const close = () => {
    if (current.old.length + current.new.length > 0) hunks.push(current)
  }
  for (const [offset, line] of body.entries()) {
    if (line.startsWith('@@')) {
      const empty = current.old.length + current.new.length === 0
      close()
      const numbers = /^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@/.exec(line)
      const anchor = numbers ? '' : line.replace(/^@@\s?/, '').replace(/\s*@@\s*$/, '')
      const before = empty ? current.anchors : []
      current = {
        old: [],
        new: [],
        atLine: numbers ? Number(numbers[1]) : null,
        anchors: anchor.trim() === '' ? before : [...before, anchor],
      }
    } else if (line.startsWith('-')) current.old.push(line.slice(1))
    else if (line.startsWith('+')) current.new.push(line.slice(1))
    else if (line.startsWith(' ') || line === '') {
      current.old.push(line.slice(1))
      current.new.push(line.slice(1))
    } else if (!line.startsWith('\\') && !line.startsWith('*** End of File')) {
      mistake(at + offset, `a line of a hunk begins with " ", "-" or "+", found \`${line}\``)
    }
  }
  close()
  return hunks
}

const UNIFIED_HEADER = /^(diff --git |index |new file mode|deleted file mode|old mode|new mode|similarity index|rename from|rename to)/

function parseUnified(lines: readonly string[]): FilePatch[] {
  const files: FilePatch[] = []
  let at = 0
  while (at < lines.length) {
    const from = /^--- (.+)$/.exec(lines[at] ?? '')?.[1]
    const to = /^\+\+\+ (.+)$/.exec(lines[at + 1] ?? '')?.[1]
    if (from === undefined || to === undefined) {
      at += 1
      continue
    }
    const end = endOfUnified(lines, at + 2)
    const hunks = hunksOf(trimBlankEnd(lines.slice(at + 2, end)), at + 2)
    const [oldPath, newPath] = [pathOf(from), pathOf(to)]
    if (oldPath === null && newPath === null) mistake(at, 'both sides are /dev/null')
    if (oldPath === null)
      files.push({ kind: 'add', path: newPath ?? '', text: hunks.flatMap((it) => it.new.map((line) => `${line}\n`)).join('') })
    else if (newPath === null) files.push({ kind: 'delete', path: oldPath })
    else files.push({ kind: 'update', path: oldPath, moveTo: newPath === oldPath ? null : newPath, hunks })
    at = end
  }
  return files
}

function endOfUnified(lines: readonly string[], from: number): number {
  const at = lines.findIndex(
    (it, index) => index >= from && (UNIFIED_HEADER.test(it) || (it.startsWith('--- ') && (lines[index + 1] ?? '').startsWith('+++ '))),
  )
  return at < 0 ? lines.length : at
}

function pathOf(header: string): string | null {
  const path = (header.split('\t')[0] ?? '').trim()
  return path === '/dev/null' ? null : path.replace(/^[ab]\//, '')
}
