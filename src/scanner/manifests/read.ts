import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { problemOf } from '../../core/errors.ts'
import type { Checkout } from '../../workspace/port.ts'
import type { Skipped } from '../port.ts'
import { type Dependency, type Ecosystem, MANIFEST_KINDS } from './parse.ts'

export interface Manifest {
  path: string
  ecosystem: Ecosystem
  text: string
  dependencies: Dependency[]
}

// A monorepo with more packages says nothing new with the rest.
const MOST = 500
const LONGEST_PROBLEM = 160

/** Reads every dependency manifest, the shallowest first. A malformed one is named in `skipped` and does no more harm. */
export async function readManifests(checkout: Checkout, files: readonly string[]): Promise<{ manifests: Manifest[]; skipped: Skipped[] }> {
  const known = files
    .flatMap((path) => {
      const kind = MANIFEST_KINDS.find((it) => it.name.test(posix.basename(path)))
      return kind ? [{ path, kind }] : []
    })
    .toSorted((a, b) => depth(a.path) - depth(b.path) || (a.path < b.path ? -1 : 1))
  const manifests: Manifest[] = []
  const skipped: Skipped[] = known.slice(MOST).map((it) => ({ path: it.path, reason: `more than ${MOST} manifests` }))
  for (const { path, kind } of known.slice(0, MOST)) {
    // A byte order mark is no part of the text.
    const text = (await readFile(join(checkout.path, path), 'utf8').catch(() => '')).replace(/^\uFEFF/, '')
    try {
      manifests.push({ path, ecosystem: kind.ecosystem, text, dependencies: kind.dependencies(text, path) })
    } catch (error) {
      skipped.push({ path, reason: `malformed: ${problemOf(error).slice(0, LONGEST_PROBLEM)}` })
      manifests.push({ path, ecosystem: kind.ecosystem, text, dependencies: [] })
    }
  }
  return { manifests, skipped }
}

export function isManifest(path: string): boolean {
  return MANIFEST_KINDS.some((it) => it.name.test(posix.basename(path)))
}

function depth(path: string): number {
  return path.split('/').length
}
