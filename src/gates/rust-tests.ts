import type { Scratch } from '../workspace/port.ts'
import type { Bench } from './bench.ts'

/** Rust keeps unit tests in the file they test: for the proof the base's file gets the change's test module. */
export async function graftRustTests(bench: Bench, scratch: Scratch, files: readonly string[]): Promise<void> {
  for (const path of files.filter((it) => it.endsWith('.rs') && !bench.isTest(it))) {
    const [before, after] = [await bench.atBase(path), await bench.here(path)]
    if (after !== null) await scratch.put(path, Buffer.from(grafted(before ?? '', after)))
  }
}

/** The first text without its test module, with that of the second. */
export function grafted(before: string, after: string): string {
  const old = testModule(before)
  const base = old === '' ? before : before.replace(old, () => '')
  return `${base.trimEnd()}\n\n${testModule(after)}\n`.trimStart()
}

function testModule(text: string): string {
  const at = text.search(/^#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub\s+)?mod\s+\w+\s*\{/m)
  if (at === -1) return ''
  const end = text.slice(at).search(/^\}/m)
  return end === -1 ? text.slice(at) : text.slice(at, at + end + 1)
}
