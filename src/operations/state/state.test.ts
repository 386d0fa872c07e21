import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { lastingFolder, temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import { toySubmit } from '../../../test/support/toy-runs.ts'
import { ReeveError } from '../../core/errors.ts'
import { openStore } from '../../store/open.ts'
import { makeBackup } from './make-backup.ts'
import type { Manifest } from './manifest.ts'
import { checkBackup, restoreBackup } from './restore-backup.ts'

const signal = new AbortController().signal
const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) }
const KEPT = 'before-restore-20260102T030405Z'

/** A data folder with a store, runs and files beside it. */
async function bench() {
  const root = temporaryFolder()
  const folders = { state: join(root, 'state'), data: join(root, 'data') }
  const store = await openStore(folders.state)
  let open = true
  const close = async () => {
    if (open) await store.close()
    open = false
  }
  onTestFinished(close)
  const done = await toySubmit(store, 'done')
  await store.claim(done.id, 'n')
  await store.cancel(done.id, 'ann')
  const going = await toySubmit(store, 'going')
  await store.claim(going.id, 'n')
  writeFiles(folders.state, {
    'trust.json': '{"trusted":[]}',
    token: 'do-not-copy',
    'daemon.lock.db-journal': '',
    'daemon.json': '{"pid":1}',
    [`logs/${done.id}.ndjson`]: '{}\n',
    'logs/daemon.log': 'no\n',
  })
  writeFiles(folders.data, {
    [`evidence/${done.id}/card.md`]: '# card\n',
    'models.json': '{"m":{}}',
    [`runs/${going.id}/workspace.json`]: '{"state":"ready"}',
    [`runs/${going.id}/git/HEAD`]: 'ref: refs/heads/task\n',
    [`runs/${going.id}/git/objects/ab/cd`]: 'object',
    [`runs/${going.id}/git/index.lock`]: '',
    [`runs/${going.id}/tree/src/a.ts`]: 'export {}\n',
    [`runs/${done.id}/workspace.json`]: '{}',
    'cache/packages/x': 'large',
  })
  const to = join(root, 'backup')
  const backup = () => makeBackup({ store, folders, to, version: '1.2.3', clock, signal })
  const restore = (more: Partial<Parameters<typeof restoreBackup>[0]> = {}) =>
    restoreBackup({ from: to, folders, version: '1.2.3', clock, signal, ...more })
  return { root, folders, store, close, to, backup, restore, done, going }
}

const read = (...path: string[]) => readFileSync(join(...path), 'utf8')
const manifestOf = (folder: string) => JSON.parse(read(folder, 'manifest.json')) as Manifest
function changeManifest(folder: string, change: (it: Manifest) => void): void {
  const manifest = manifestOf(folder)
  change(manifest)
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
}

it('holds the store, what lies beside it and the workspaces of runs that have not ended; nothing that lets somebody in', async () => {
  const { to, backup, done, going } = await bench()
  const manifest = await backup()
  expect(manifest).toEqual(manifestOf(to))
  expect(manifest).toMatchObject({ format: 1, reeve: '1.2.3', createdAt: '2026-01-02T03:04:05.000Z', unfinished: [going.id] })
  expect(manifest.files.map((it) => it.path).toSorted()).toEqual(
    [
      'store.db',
      'state/trust.json',
      `logs/${done.id}.ndjson`,
      `evidence/${done.id}/card.md`,
      'models.json',
      `workspaces/${going.id}/workspace.json`,
      `workspaces/${going.id}/git/HEAD`,
      `workspaces/${going.id}/git/objects/ab/cd`,
    ].toSorted(),
  )
  expect(statSync(to).mode & 0o777).toBe(0o700)
  expect(statSync(join(to, 'store.db')).mode & 0o077, 'the store is for nobody else').toBe(0)
})

it('is one moment of the store, whatever is written while it is made', async () => {
  const { to, backup, store } = await bench()
  const making = backup()
  await toySubmit(store, 'meanwhile')
  await making
  const copy = new DatabaseSync(join(to, 'store.db'), { readOnly: true })
  expect(copy.prepare('pragma quick_check').get()).toEqual({ quick_check: 'ok' })
  const [events] = copy.prepare('select count(*) as n, sum(last_seq) as m from runs join (select 1)').all()
  expect(copy.prepare('select count(*) as n from events').get()?.['n']).toBe(events?.['m'])
  copy.close()
})

it('writes over nothing, and leaves nothing of a backup that was not finished', async () => {
  const { to, root, backup, store, folders } = await bench()
  mkdirSync(to)
  writeFileSync(join(to, 'mine'), 'x')
  await expect(backup()).rejects.toThrow(`The backup "${to}" cannot be made: it is there already.`)
  expect(read(to, 'mine')).toBe('x')
  const over = new AbortController()
  over.abort(new Error('left'))
  const other = join(root, 'other')
  await expect(makeBackup({ store, folders, to: other, version: '1', clock, signal: over.signal })).rejects.toThrow('left')
  expect(existsSync(other)).toBe(false)
})

it('brings everything back, keeps what was there, and takes up the runs that were at work', async () => {
  const { folders, backup, restore, close, store, done, going } = await bench()
  await backup()
  const later = await toySubmit(store, 'later')
  await close()
  writeFiles(folders.state, { 'trust.json': '{"trusted":["evil"]}' })
  writeFiles(folders.data, { [`evidence/${done.id}/card.md`]: 'changed' })
  rmSync(join(folders.data, 'runs', going.id), { recursive: true })
  const restored = await restore()
  expect(restored).toMatchObject({ atWork: 1, before: join(folders.state, KEPT) })
  expect(read(folders.state, 'trust.json')).toBe('{"trusted":[]}')
  expect(read(folders.data, 'evidence', done.id, 'card.md')).toBe('# card\n')
  expect(read(folders.data, 'runs', going.id, 'git', 'HEAD')).toBe('ref: refs/heads/task\n')
  expect(read(folders.state, KEPT, 'state', 'trust.json')).toBe('{"trusted":["evil"]}')
  expect(read(folders.data, KEPT, 'evidence', done.id, 'card.md')).toBe('changed')
  expect(existsSync(join(folders.state, 'restoring')), 'nothing is left of the way').toBe(false)

  const again = await openStore(folders.state)
  onTestFinished(() => again.close())
  expect(await again.getRun(later.id)).toBeNull()
  expect(await again.recover()).toEqual([going.id])
  expect(await again.getRun(going.id)).toMatchObject({ state: 'queued', crashes: 1 })
  const old = await openStore(join(folders.state, KEPT))
  onTestFinished(() => old.close())
  expect(await old.getRun(later.id), 'what was there is whole').toMatchObject({ id: later.id })
})

it('restores where nothing is yet, as on a new machine', async () => {
  const { backup, restore, root, going } = await bench()
  await backup()
  const folders = { state: join(root, 'new', 'state'), data: join(root, 'new', 'data') }
  expect(await restore({ folders })).toMatchObject({ before: null })
  const store = await openStore(folders.state)
  onTestFinished(() => store.close())
  expect(await store.getRun(going.id)).toMatchObject({ id: going.id })
  expect(readdirSync(join(folders.data, 'runs'))).toEqual([going.id])
})

it('leaves a workspace alone that is still there', async () => {
  const { folders, backup, restore, close, going } = await bench()
  await backup()
  await close()
  writeFiles(folders.data, { [`runs/${going.id}/git/HEAD`]: 'ref: refs/heads/further\n' })
  await restore()
  expect(read(folders.data, 'runs', going.id, 'git', 'HEAD')).toBe('ref: refs/heads/further\n')
  expect(existsSync(join(folders.data, 'runs', going.id, 'tree', 'src', 'a.ts'))).toBe(true)
})

it('refuses while somebody has the store open, a run is worked on, or a daemon lives', async () => {
  const { folders, store, backup, restore, close } = await bench()
  await backup()
  await expect(restore()).rejects.toMatchObject({ code: 'store_locked' })
  store.holdNode('n9')
  await close()
  await expect(restore()).rejects.toMatchObject({ code: 'store_locked' })
  store.releaseNode('n9')
  const lock = new DatabaseSync(join(folders.state, 'daemon.lock.db'))
  lock.exec('pragma locking_mode=exclusive; begin exclusive')
  await expect(restore()).rejects.toMatchObject({ code: 'daemon_running', details: { pid: 1 } })
  lock.close()
  await restore()
})

it('refuses a backup of a reeve that knows more, with both versions, and one of another layout', async () => {
  const { to, backup, restore, close } = await bench()
  await backup()
  await close()
  changeManifest(to, (it) => {
    it.migrations.push('0099-future')
    it.reeve = '9.0.0'
  })
  await expect(restore()).rejects.toMatchObject({
    code: 'backup_mismatch',
    message: `The backup "${to}" cannot be restored: reeve 9.0.0 has made it, and its store has had "0099-future", which this reeve 1.2.3 does not know.`,
  })
  changeManifest(to, (it) => void (it.format = 2))
  await expect(restore()).rejects.toThrow('its layout is number 2, and this reeve knows number 1')
})

describe('a backup that is not as it was written', () => {
  const root = lastingFolder()
  const folders = { state: join(root.folder, 'state'), data: join(root.folder, 'data') }
  const to = join(root.folder, 'backup')
  let done = ''
  let later = ''

  beforeAll(async () => {
    const store = await openStore(folders.state)
    done = (await toySubmit(store, 'done')).id
    writeFiles(folders.state, { 'trust.json': 'as it was' })
    writeFiles(folders.data, { [`evidence/${done}/card.md`]: '# card\n' })
    await makeBackup({ store, folders, to, version: '1.2.3', clock, signal })
    later = (await toySubmit(store, 'later')).id
    writeFiles(folders.state, { 'trust.json': 'as it is' })
    await store.close()
  })
  afterAll(root.remove)

  /** Restores a copy of the backup that was harmed, and sees to it that nothing has changed. */
  async function refusal(harm: (to: string, run: string) => void): Promise<string> {
    const from = join(temporaryFolder(), 'copy')
    cpSync(to, from, { recursive: true, verbatimSymlinks: true, mode: 0 })
    chmodSync(from, 0o700)
    harm(from, done)
    const problem = await restoreBackup({ from, folders, version: '1.2.3', clock, signal }).then(
      () => 'restored',
      (error: unknown) =>
        error instanceof ReeveError && error.code === 'backup_mismatch' ? error.message : `not refused: ${String(error)}`,
    )
    expect(read(folders.state, 'trust.json')).toBe('as it is')
    expect(readdirSync(folders.state).filter((it) => it.startsWith('before') || it === 'restoring')).toEqual([])
    const store = new DatabaseSync(join(folders.state, 'store.db'), { readOnly: true })
    expect(store.prepare('select id from runs order by id desc').get()).toEqual({ id: later })
    store.close()
    return problem
  }

  it.each<[string, (to: string, run: string) => void, string]>([
    ['a file was changed', (at, run) => writeFileSync(join(at, 'evidence', run, 'card.md'), '# cart\n'), 'card.md" is damaged'],
    ['a file is missing', (at, run) => rmSync(join(at, 'evidence', run, 'card.md')), 'card.md" is missing'],
    ['the store was changed', (at) => writeFileSync(join(at, 'store.db'), 'x', { flag: 'a' }), '"store.db" is damaged'],
    ['it was not finished', (at) => rmSync(join(at, 'manifest.json')), 'there is no manifest.json in it'],
    ['there is no store in it', (at) => changeManifest(at, (it) => void it.files.shift()), 'there is no store in it'],
    ['the manifest tells of another store', (at) => changeManifest(at, (it) => void it.migrations.pop()), 'its store is not the one'],
    [
      'a file became a link',
      (at, run) => {
        rmSync(join(at, 'evidence', run, 'card.md'))
        symlinkSync('/etc/hostname', join(at, 'evidence', run, 'card.md'))
      },
      'card.md" is missing or is no plain file',
    ],
    ['others may write to it', (at) => chmodSync(at, 0o777), 'may be written to by others'],
    ['others may write to its manifest', (at) => chmodSync(join(at, 'manifest.json'), 0o666), 'may be written to by others'],
  ])('is refused and changes nothing: %s', async (_name, harm, problem) => {
    expect(await refusal(harm)).toContain(problem)
  })

  it.each([
    '../../escape',
    '/etc/passwd',
    'evidence/../../x',
    'evidence//x',
    'elsewhere/x',
    'state/..',
    'state/token',
    'state/daemon.json',
    'state/store.db-wal',
    'state/daemon.lock.db-journal',
    'state/nodes/x',
    'evidence/a\\b',
    'evidence/\u0000',
  ])('is refused when it names the path %j', async (path) => {
    const name = (at: string) => changeManifest(at, (it) => void it.files.push({ path, bytes: 1, sha256: 'a'.repeat(64) }))
    expect(await refusal(name)).toContain('damaged')
  })
})

it('puts back what it has moved when something goes wrong on the way', async () => {
  const { folders, backup, restore, close, done } = await bench()
  await backup()
  await close()
  writeFiles(folders.state, { 'trust.json': 'as it is' })
  writeFiles(folders.data, { [`evidence/${done.id}/card.md`]: 'changed' })
  writeFileSync(join(folders.data, KEPT), 'in the way')
  await expect(restore()).rejects.toThrow('ENOTDIR')
  expect(read(folders.state, 'trust.json')).toBe('as it is')
})

it('replaces a store that is damaged, and keeps it', async () => {
  const { folders, backup, restore, close, going } = await bench()
  await backup()
  await close()
  writeFileSync(join(folders.state, 'store.db'), 'rubbish '.repeat(100))
  writeFileSync(join(folders.state, 'store.db-wal'), 'rubbish')
  await restore()
  expect(read(folders.state, KEPT, 'store.db')).toMatch(/^rubbish/)
  expect(read(folders.state, KEPT, 'store.db-wal')).toBe('rubbish')
  const again = await openStore(folders.state)
  onTestFinished(() => again.close())
  expect(await again.getRun(going.id)).toMatchObject({ id: going.id })
})

it('can be checked without changing anything', async () => {
  const { to, backup, folders, done } = await bench()
  await backup()
  expect((await checkBackup({ from: to, version: '1.2.3', signal })).files).toHaveLength(8)
  writeFileSync(join(to, 'evidence', done.id, 'card.md'), 'x')
  await expect(checkBackup({ from: to, version: '1.2.3', signal })).rejects.toMatchObject({ code: 'backup_mismatch' })
  expect(existsSync(join(folders.state, KEPT))).toBe(false)
})
