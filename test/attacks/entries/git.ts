import type { Entry, Replacement } from '../entry.ts'

const GIT = 'src/workspace/git.ts'
const HANDOVER = 'src/workspace/handover.ts'
const DIFF = 'src/workspace/diff.ts'
const TEST = 'src/workspace/git-attacks.test.ts'

const level = 'always'
const executes = (attack: string) => ({
  level: level as Entry['level'],
  test: { file: TEST, name: `execute nothing: ${attack}` },
  says: 'reeve executed what the task planted',
})
/** One of the settings that go with every call. */
const setting = (text: string): Replacement => ({ file: GIT, from: `  '${text}',\n`, to: '' })

/** git finds the repository from the work tree, as a plain call does: the user's, which the task can write to at these levels. */
const NO_PRIVATE_GIT: Replacement = {
  file: GIT,
  from: 'const where = [`--git-dir=${place.gitDir}`, ...(place.workTree === undefined ? [] : [`--work-tree=${place.workTree}`])]',
  to: 'const where = place.workTree === undefined ? [`--git-dir=${place.gitDir}`] : []',
}
const WITH_CHECKOUT: Replacement = { file: 'src/workspace/worktree.ts', from: "'--no-checkout', ", to: '' }

/** Commits are fetched from their path by name, so that the user's configuration can turn it into something else. */
const PLAIN_ADDRESS: readonly Replacement[] = [
  { file: HANDOVER, from: "const address = `reeve-${randomBytes(12).toString('hex')}:`", to: 'const address = privateGit' },
  { file: HANDOVER, from: '{ fetches: true, setting: [`url.${privateGit}.insteadOf`, address] }', to: '{ fetches: true }' },
  {
    file: GIT,
    from: "if (options.fetches) env['GIT_ALLOW_PROTOCOL'] = 'file'",
    to: "if (options.fetches) delete env['GIT_ALLOW_PROTOCOL']",
  },
]

/** The patch is made by the user's git dir, which lends its objects, and with drivers. */
const PATCH_BY_USERS_GIT: readonly Replacement[] = [
  { file: DIFF, from: "'--no-ext-diff', '--no-textconv'", to: "'--ext-diff', '--textconv'" },
  {
    file: DIFF,
    from: 'await tryGit(place, args, {',
    to: "await tryGit({ gitDir: `${process.getBuiltinModule('node:fs').readFileSync(`${place.gitDir}/objects/info/alternates`, 'utf8').trim()}/..`, objects: `${place.gitDir}/objects` }, args, {",
  },
]

function without(first: Replacement, ...also: readonly Replacement[]): Replacement & { also: readonly Replacement[] } {
  return { ...first, also }
}

const [address, ...moreAddress] = PLAIN_ADDRESS as [Replacement, ...Replacement[]]
const [flags, ...moreFlags] = PATCH_BY_USERS_GIT as [Replacement, ...Replacement[]]

/** What a task plants for the git of others. */
export const GIT_BOUNDARY: readonly Entry[] = [
  {
    case: '10a',
    title: 'a hook in .git/hooks, then reeve commits and lands',
    ...executes('a reference-transaction hook'),
    ...setting('core.hooksPath=/dev/null'),
  },
  {
    case: '10b',
    title: 'a post-checkout hook, then a worktree is made',
    ...executes('a post-checkout hook'),
    ...without(setting('core.hooksPath=/dev/null'), WITH_CHECKOUT),
  },
  {
    case: '11',
    title: 'a tracked hook under core.hooksPath',
    ...executes('a tracked hook under core.hooksPath'),
    ...without(setting('core.hooksPath=/dev/null'), NO_PRIVATE_GIT),
  },
  {
    case: '12a',
    title: 'core.fsmonitor',
    ...executes('core.fsmonitor'),
    ...without(NO_PRIVATE_GIT, setting('core.fsmonitor=false')),
  },
  {
    case: '12b',
    title: 'core.fsmonitor in config.worktree',
    ...executes('core.fsmonitor in config.worktree'),
    ...without(NO_PRIVATE_GIT, setting('core.fsmonitor=false')),
  },
  {
    case: '12c',
    title: 'commondir redirected',
    ...executes('commondir redirected'),
    ...without(NO_PRIVATE_GIT, setting('core.fsmonitor=false')),
  },
  {
    case: '12d',
    title: 'the .git file of the worktree redirected',
    ...executes('the .git file of the worktree redirected'),
    ...without(NO_PRIVATE_GIT, setting('core.fsmonitor=false')),
  },
  {
    case: '12e',
    title: 'includes in the configuration',
    ...executes('includes in the configuration'),
    ...without(NO_PRIVATE_GIT, setting('core.fsmonitor=false')),
  },
  { case: '13a', title: 'filter.*.clean', ...executes('a clean filter of a free name'), ...NO_PRIVATE_GIT },
  { case: '13b', title: 'filter.*.smudge, as a worktree is made', ...executes('a smudge filter of a free name'), ...WITH_CHECKOUT },
  { case: '13c', title: 'filter.*.process', ...executes('a filter process'), ...NO_PRIVATE_GIT },
  { case: '13d', title: 'a textconv', ...executes('a textconv'), ...without(flags, ...moreFlags) },
  {
    case: '13e',
    title: 'diff.external and a diff driver',
    ...executes('diff.external and a diff driver of a free name'),
    ...without(flags, ...moreFlags),
  },
  {
    case: '13f',
    title: 'a merge driver, as a run lands',
    ...executes('a merge driver'),
    file: 'src/workspace/land.ts',
    from: 'const place = { gitDir, objects:',
    to: 'const place = { gitDir: project.gitDir, objects:',
  },
  {
    case: '13g',
    title: 'gpg.program, asked about a signed commit',
    ...executes('gpg.program with log.showSignature, and a commit that is signed'),
    ...setting('log.showSignature=false'),
  },
  {
    case: '13h',
    title: 'core.sshCommand, as commits are handed over',
    ...executes('core.sshCommand'),
    ...without(address, ...moreAddress, setting('core.sshCommand=false'), { file: GIT, from: "    GIT_SSH_COMMAND: 'false',\n", to: '' }),
  },
  {
    case: '13i',
    title: 'an address of ext:: in the place of a path',
    ...executes('url.insteadOf that turns every path into a command'),
    ...without(address, ...moreAddress, setting('protocol.ext.allow=never')),
  },
  {
    case: '13j',
    title: 'core.alternateRefsCommand',
    ...executes('core.alternateRefsCommand'),
    ...setting('core.alternateRefsCommand=:'),
  },
  {
    case: '13k',
    title: 'a remote that is asked for missing objects',
    level,
    test: { file: TEST, name: 'fetches no missing object as a poisoned configuration says' },
    says: 'reeve executed what the task planted',
    file: GIT,
    from: "    GIT_ALLOW_PROTOCOL: 'none',\n",
    to: '',
  },
  {
    case: '14a',
    title: 'a nested repository with a monitor',
    ...executes('a nested repository with a monitor'),
    ...without(NO_PRIVATE_GIT, setting('core.fsmonitor=false')),
  },
  {
    case: '14b',
    title: 'a link to a commit that nobody has',
    level,
    test: { file: 'src/workspace/git-boundary.test.ts', name: 'enters no link to a commit that only a nested repository has' },
    ...without(
      {
        file: 'src/workspace/snapshot.ts',
        from: "    await git(place, ['update-index', '--force-remove', '--', path])\n",
        to: '',
      },
      {
        file: 'src/workspace/snapshot.ts',
        from: '(await nestedRepositories(options)).filter((it) => !submodules.some((one) => one.path === it))',
        to: '[] as string[]',
      },
    ),
  },
  {
    case: '15',
    title: 'an embedded bare repository as the folder reeve is started in',
    level,
    test: { file: 'src/workspace/git-boundary.test.ts', name: 'takes no embedded bare repository for the project' },
    ...setting('safe.bareRepository=explicit'),
  },
]
