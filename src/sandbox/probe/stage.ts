import { createHash, randomBytes } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place } from '../port.ts'
import { type Addresses, openCanaries } from './canaries.ts'

/** What `attacks.mjs` is told: where the things are that it must not reach. */
export interface Target extends Addresses {
  tree: string
  home: { folder: string; file: string }
  secret: string
  sibling: string
  /** Git directories: the user's own and the private one of the run. */
  git: readonly string[]
  /** Mark of the process that is left behind. */
  sleeper: string
}

/** The attacks of `attacks.mjs`, but for the process that is left behind. */
export type Attack = 'home' | 'secret' | 'sibling' | 'git' | 'tcp' | 'udp' | 'socket' | 'abstract' | 'environ' | 'signal' | 'namespaces'

/** A small world with all that a program of a run must not touch, and eyes on it from outside. */
export interface Stage {
  place: Place
  target: Target
  /** The file with the attacks, in the tree. */
  script: string
  /** Which attacks succeeded, as it is seen from outside. `got`: what the attacks say they have read. */
  succeeded(got: ReadonlyMap<string, string>): Promise<Record<Attack, boolean>>
  close(): Promise<void>
}

/** Builds one in a folder. `signal`: one that does nothing to a process by default, and that no other stage uses at the same time. */
export async function makeStage(folder: string, signal: NodeJS.Signals): Promise<Stage> {
  const [tree, home, other] = ['runs/one/tree', 'home', 'runs/two/tree'].map((it) => join(folder, it)) as [string, string, string]
  const git = ['project/.git', 'runs/one/git'].map((it) => join(folder, it)) as [string, string]
  const secret = randomBytes(16).toString('hex')
  const files = {
    [join(home, '.profile')]: '# as it was\n',
    [join(home, '.ssh/id_canary')]: secret,
    [join(other, 'notes.txt')]: secret,
    ...Object.fromEntries(git.map((it) => [join(it, 'config'), '[core]\n\tbare = false\n'])),
    ...Object.fromEntries(git.map((it) => [join(it, 'HEAD'), 'ref: refs/heads/task\n'])),
    [join(tree, '.git')]: `gitdir: ${git[0]}\n`,
  }
  const script = join(tree, 'attacks.mjs')
  const runHome = join(folder, 'runs/one/home')
  const folders = [tree, join(home, '.ssh'), other, ...git.map((it) => join(it, 'hooks')), join(runHome, 'tmp')]
  await Promise.all(folders.map((it) => mkdir(it, { recursive: true, mode: 0o700 })))
  await Promise.all([
    ...Object.entries(files).map(([file, text]) => writeFile(file, text)),
    copyFile(join(import.meta.dirname, 'attacks.mjs'), script),
  ])
  const guarded = { home: () => contentOf(home), git: async () => (await Promise.all([...git, join(tree, '.git')].map(contentOf))).join() }
  const before = { home: await guarded.home(), git: await guarded.git() }
  const canaries = await openCanaries(join(folder, 's'), signal)

  return {
    place: { tree, home: runHome, git: git[1] },
    target: {
      ...canaries.addresses,
      tree,
      home: { folder: home, file: join(home, '.profile') },
      secret: join(home, '.ssh/id_canary'),
      sibling: join(other, 'notes.txt'),
      git,
      sleeper: `probe.${randomBytes(9).toString('hex')}`,
    },
    script,
    async succeeded(got) {
      const environ = await readFile('/proc/self/environ').catch(() => null)
      return {
        ...canaries.reached(),
        home: (await guarded.home()) !== before.home,
        git: (await guarded.git()) !== before.git,
        secret: got.get('secret') === secret,
        sibling: got.get('sibling') === secret,
        environ: environ !== null && got.get('environ') === createHash('sha256').update(environ).digest('hex'),
        // Leaves nothing that could be seen outside.
        namespaces: got.has('namespaces'),
      }
    },
    close: () => canaries.close(),
  }
}

/** A file's text, or all files of a folder with theirs. */
async function contentOf(path: string): Promise<string> {
  const below = await readdir(path, { recursive: true }).catch(() => null)
  const files = below === null ? [path] : below.toSorted().map((it) => join(path, it))
  const texts = await Promise.all(files.map(async (it) => `${it}: ${await readFile(it, 'utf8').catch(() => '')}`))
  return texts.join('\n')
}
