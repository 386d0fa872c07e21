import { appendFileSync, chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { unkept } from '../../test/support/keeping.ts'
import { makeRepository, git as plainGit } from '../../test/support/repository.ts'
import { asUser, type Life, live } from '../../test/workspace/life.ts'
import { runProgram } from '../process/run-program.ts'
import { cloneAt } from './clone.ts'
import { gitEnv } from './git.ts'
import { land } from './land.ts'
import { reap } from './reap.ts'
import { restoreAttempt } from './rescue.ts'

interface Scene extends Life {
  tree: string
  mark: string
  /** The user's git dir. */
  common: string
  /** The worktree's part of it. */
  admin: string
}

interface Attack {
  name: string
  /** Done with everything a program in the workspace can reach. */
  plant(scene: Scene): void
  /** Ordinary git calls that fall for it: the control that shows the attack is live. */
  falls: (scene: Scene) => (readonly string[])[]
  /** The user's branch has changed the same files meanwhile, so that nothing can be merged into it. */
  blocksLanding?: boolean
}

const ATTACKS: Attack[] = [
  {
    name: 'a hook in the shared git dir',
    plant: ({ common, mark }) => hook(join(common, 'hooks/pre-commit'), mark),
    falls: () => [['commit', '-qam', 'x']],
  },
  {
    name: 'a post-checkout hook',
    plant: ({ common, mark }) => hook(join(common, 'hooks/post-checkout'), mark),
    falls: () => [['checkout', '-q', '-b', 'other']],
  },
  {
    name: 'a reference-transaction hook',
    plant: ({ common, mark }) => hook(join(common, 'hooks/reference-transaction'), mark),
    falls: () => [['update-ref', 'refs/heads/q', 'HEAD']],
  },
  {
    name: 'a tracked hook under core.hooksPath',
    plant: ({ root, tree, mark }) => {
      plainGit(root, 'config', 'core.hooksPath', '.husky/_')
      for (const name of ['pre-commit', 'post-commit', 'post-checkout', 'post-index-change']) hook(join(tree, '.husky/_', name), mark)
    },
    falls: () => [['add', '-A']],
  },
  {
    name: 'core.fsmonitor',
    plant: ({ root, mark }) => config(root, 'core.fsmonitor', `touch ${mark}; false`),
    falls: () => [['status']],
  },
  {
    name: 'core.fsmonitor in config.worktree',
    plant: ({ root, admin, mark }) => {
      config(root, 'extensions.worktreeConfig', 'true')
      writeFileSync(join(admin, 'config.worktree'), `[core]\n\tfsmonitor = "touch ${mark}; false"\n`)
    },
    falls: () => [['status']],
  },
  {
    name: 'a clean filter of a free name',
    plant: ({ root, tree, mark }) => {
      config(root, 'filter.evil.clean', `touch ${mark}; cat`)
      writeFiles(tree, { '.gitattributes': '*.txt filter=evil\n', 'f.txt': 'changed\n' })
    },
    falls: () => [['add', '-A']],
  },
  {
    name: 'a smudge filter of a free name',
    plant: ({ root, tree, mark }) => {
      config(root, 'filter.evil.smudge', `touch ${mark}; cat`)
      config(root, 'filter.evil.required', 'true')
      writeFiles(tree, { '.gitattributes': '*.txt filter=evil\n', 'f.txt': 'changed\n' })
    },
    falls: () => [['checkout', '-f', 'HEAD', '--', 'f.txt']],
  },
  {
    name: 'a filter process',
    plant: ({ root, tree, mark }) => {
      config(root, 'filter.evil.process', `touch ${mark}; false`)
      writeFiles(tree, { '.gitattributes': '*.txt filter=evil\n', 'f.txt': 'changed\n' })
    },
    falls: () => [['add', '-A']],
  },
  {
    name: 'diff.external and a diff driver of a free name',
    plant: ({ root, tree, common, mark }) => {
      config(root, 'diff.external', `touch ${mark}; true`)
      config(root, 'diff.x.command', `touch ${mark}; true`)
      writeFileSync(join(common, 'info/attributes'), '*.txt diff=x\n')
      writeFiles(tree, { '.gitattributes': '*.txt diff=x\n', 'f.txt': 'changed\n' })
    },
    falls: () => [['diff']],
  },
  {
    name: 'a textconv',
    plant: ({ root, tree, common, mark }) => {
      config(root, 'diff.x.textconv', `touch ${mark}; cat`)
      writeFileSync(join(common, 'info/attributes'), '*.txt diff=x\n')
      writeFiles(tree, { '.gitattributes': '*.txt diff=x\n', 'f.txt': 'changed\n' })
    },
    falls: () => [['diff']],
  },
  {
    name: 'gpg.program with commit.gpgSign',
    plant: ({ root, tree, mark }) => {
      hook(join(tree, 'gpg.sh'), mark)
      config(root, 'gpg.program', join(tree, 'gpg.sh'))
      config(root, 'commit.gpgSign', 'true')
      writeFiles(tree, { 'f.txt': 'changed\n' })
    },
    falls: () => [['commit', '-qam', 'x']],
  },
  {
    name: 'url.insteadOf that turns every path into a command',
    plant: ({ root, mark, dataDir }) => {
      config(root, `url.ext::sh -c touch% ${mark}% .insteadOf`, dataDir)
      config(root, 'protocol.ext.allow', 'always')
    },
    falls: ({ dataDir }) => [['fetch', join(dataDir, 'runs/r1/git')]],
  },
  {
    name: 'core.sshCommand',
    plant: ({ root, mark, dataDir }) => {
      config(root, 'core.sshCommand', `touch ${mark}; false`)
      config(root, 'url.ssh://x.invalid/.insteadOf', dataDir)
    },
    falls: ({ dataDir }) => [['fetch', join(dataDir, 'runs/r1/git')]],
  },
  {
    name: 'core.alternateRefsCommand',
    plant: ({ root, common, mark }) => {
      const other = join(temporaryFolder(), 'other')
      plainGit(root, 'clone', '-q', root, other)
      plainGit(other, 'commit', '-q', '--allow-empty', '-m', 'more')
      writeFileSync(join(common, 'objects/info/alternates'), `${join(other, '.git/objects')}\n`)
      config(root, 'core.alternateRefsCommand', `touch ${mark}; true`)
      config(root, 'remote.other.url', other)
    },
    falls: () => [['fetch', '-q', 'other']],
  },
  {
    name: 'the .git file of the worktree redirected',
    plant: ({ tree, mark }) => {
      plainGit(tree, 'init', '-q', '--bare', 'evil')
      const text = `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ${tree}\n\tfsmonitor = "touch ${mark}; false"\n`
      writeFileSync(join(tree, 'evil/config'), text)
      rmSync(join(tree, '.git'))
      writeFileSync(join(tree, '.git'), `gitdir: ${tree}/evil\n`)
    },
    falls: () => [['status']],
  },
  {
    name: 'commondir redirected',
    plant: ({ common, admin, mark }) => {
      const copy = join(temporaryFolder(), 'common')
      cpSync(common, copy, { recursive: true })
      appendFileSync(join(copy, 'config'), `[core]\n\tfsmonitor = "touch ${mark}; false"\n`)
      writeFileSync(join(admin, 'commondir'), `${copy}\n`)
    },
    falls: () => [['status']],
  },
  {
    name: 'a nested repository with a monitor',
    plant: ({ tree, mark }) => {
      mkdirSync(join(tree, 'sub'))
      plainGit(join(tree, 'sub'), 'init', '-q')
      writeFiles(tree, { 'sub/x': 'x\n' })
      plainGit(join(tree, 'sub'), 'add', '-A')
      plainGit(join(tree, 'sub'), 'commit', '-qm', 's')
      config(join(tree, 'sub'), 'core.fsmonitor', `touch ${mark}; false`)
    },
    falls: () => [['add', '-A'], ['status']],
  },
  {
    name: 'a merge driver',
    plant: ({ root, tree, mark, common }) => {
      config(root, 'merge.x.driver', `touch ${mark}; true`)
      writeFileSync(join(common, 'info/attributes'), '*.txt merge=x\n')
      writeFiles(tree, { '.gitattributes': '*.txt merge=x\n', 'f.txt': 'theirs\n' })
      writeFiles(root, { '.gitattributes': '*.txt merge=x\n', 'f.txt': 'ours\n' })
      plainGit(root, 'add', '-A')
      plainGit(root, 'commit', '-qm', 'feat: ours')
    },
    falls: () => [
      ['add', '-A'],
      ['commit', '-qm', 'x'],
      ['merge', '-q', 'main'],
    ],
    blocksLanding: true,
  },
  {
    name: 'a submodule whose update is a command',
    plant: ({ root, tree, mark }) => {
      const other = makeRepository({ 'x.txt': 'x\n' }, 'other')
      plainGit(root, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', other, 'sub')
      plainGit(root, 'commit', '-qm', 'feat: a submodule')
      writeFiles(tree, { '.gitmodules': `[submodule "sub"]\n\tpath = sub\n\turl = ${other}\n\tupdate = !touch ${mark}\n` })
      config(root, 'submodule.sub.update', `!touch ${mark}; :`)
      config(root, 'submodule.recurse', 'true')
      plainGit(join(root, 'sub'), 'commit', '-q', '--allow-empty', '-m', 'elsewhere')
    },
    falls: ({ root }) => [['-C', root, 'submodule', 'update']],
    blocksLanding: true,
  },
  {
    name: 'an embedded bare repository',
    plant: ({ tree, mark }) => {
      plainGit(tree, 'init', '-q', '--bare', 'planted')
      const text = `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n\tfsmonitor = "touch ${mark}; false"\n`
      writeFileSync(join(tree, 'planted/config'), text)
    },
    falls: () => [['-C', 'planted', 'status']],
  },
  {
    name: 'includes in the configuration',
    plant: ({ root, tree, mark }) => {
      const text = `[core]\n\tfsmonitor = "touch ${mark}; false"\n\thooksPath = ${join(tree, 'hooks')}\n`
      writeFiles(tree, { 'more.config': text })
      hook(join(tree, 'hooks/reference-transaction'), mark)
      config(root, 'include.path', join(tree, 'more.config'))
    },
    falls: () => [['status']],
  },
  {
    name: 'gpg.program with log.showSignature, and a commit that is signed',
    plant: ({ root, mark }) => {
      hook(join(root, '../gpg.sh'), mark)
      config(root, 'gpg.program', join(root, '../gpg.sh'))
      config(root, 'log.showSignature', 'true')
      const [tree, parent] = [plainGit(root, 'rev-parse', 'HEAD^{tree}'), plainGit(root, 'rev-parse', 'HEAD')]
      const person = 'A <a@b> 1700000000 +0000'
      const signature = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----'
      writeFileSync(
        join(root, '../commit'),
        `tree ${tree}\nparent ${parent}\nauthor ${person}\ncommitter ${person}\n${signature}\n\nsigned\n`,
      )
      plainGit(root, 'update-ref', 'refs/heads/main', plainGit(root, 'hash-object', '-t', 'commit', '-w', join(root, '../commit')))
    },
    falls: ({ root }) => [['-C', root, 'log', '-1']],
  },
]

function hook(file: string, mark: string): void {
  writeFiles(join(file, '..'), { [file.slice(file.lastIndexOf('/') + 1)]: `#!/bin/sh\ntouch "${mark}"\n` })
  chmodSync(file, 0o755)
}

function config(root: string, key: string, value: string): void {
  plainGit(root, 'config', key, value)
}

async function scene(): Promise<Scene> {
  const life = await live({ 'f.txt': 'one\n', '.gitattributes': '# none\n' })
  const common = join(life.root, '.git')
  const mark = join(temporaryFolder('reeve-mark-'), 'executed')
  return { ...life, tree: life.workspace.path, mark, common, admin: join(common, 'worktrees/tree') }
}

/** Everything reeve ever does with a workspace and the repository it came from. Returns the ways in which it landed. */
async function wholeLife({ workspace, project, dataDir, root }: Scene): Promise<string[]> {
  const landed: string[] = []
  await workspace.treeHash()
  const { commit } = await workspace.checkpoint('feat: what the task wrote')
  await workspace.changes()
  await workspace.patch()
  writeFiles(workspace.path, { 'later.txt': 'later\n' })
  const kept = await workspace.keepAttempt()
  await workspace.restore(commit)
  await workspace.restore(workspace.base)
  await workspace.restore(commit)
  await (await workspace.scratch(commit)).dispose()
  await workspace.publish({ branch: true })
  const clone = {
    project,
    commit,
    setup: [],
    change: true,
    keeping: unkept,
    dataDir,
    signal: new AbortController().signal,
    timeoutMs: 10_000,
  }
  await (await cloneAt(clone)).dispose()
  await restoreAttempt(project, kept.ref, { folder: join(dataDir, 'rescued') })
  await restoreAttempt(project, kept.ref, { branch: 'rescued' })
  // Each a run of its own for `land`, which does the same only once. The last two go into the checkout of the user.
  for (const how of ['branch', 'squash', 'merge'] as const) {
    const landing = { project, run: how, commit, base: workspace.base, how, message: 'feat: it', trailers: {} }
    await land(how === 'branch' ? { ...landing, branch: 'landed' } : landing).then(
      () => landed.push(how),
      () => {},
    )
  }
  await reap({ project, runId: 'r1', dataDir, branch: 'delete' })
  // The next run begins in what the first one has left.
  await live({}, { root, runId: 'r2', taskId: 'next' })
  return landed
}

describe('git calls on a repository that a task has poisoned', () => {
  for (const attack of ATTACKS) {
    it(`execute nothing: ${attack.name}`, async () => {
      const planted = await scene()
      attack.plant(planted)
      rmSync(planted.mark, { force: true })
      for (const args of attack.falls(planted)) asUser(planted.tree, args)
      expect(existsSync(planted.mark), 'the control: ordinary git falls for it').toBe(true)

      rmSync(planted.mark, { force: true })
      const outcome = await wholeLife(planted).catch((error: unknown) => error)
      expect(existsSync(planted.mark), 'reeve executed what the task planted').toBe(false)
      expect(outcome, 'and its work was done all the same').toEqual(attack.blocksLanding ? ['branch'] : ['branch', 'squash', 'merge'])
    })
  }
})

it('fetches no missing object as a poisoned configuration says, also where git knows no word against it', async () => {
  const { root, common, mark } = await scene()
  config(root, 'core.repositoryFormatVersion', '1')
  config(root, 'extensions.partialClone', 'origin')
  config(root, 'remote.origin.url', root)
  config(root, 'remote.origin.promisor', 'true')
  config(root, 'remote.origin.uploadpack', `touch ${mark}; false`)
  const missing = ['cat-file', '-e', '1'.repeat(40)]
  asUser(root, missing)
  expect(existsSync(mark), 'the control: ordinary git falls for it').toBe(true)

  rmSync(mark, { force: true })
  const { GIT_NO_LAZY_FETCH: _unknown, ...env } = gitEnv()
  await runProgram({ argv: ['git', `--git-dir=${common}`, ...missing], cwd: root, env, timeoutMs: 10_000 })
  expect(existsSync(mark), 'reeve executed what the task planted').toBe(false)
})
