import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { openStore } from '../store/open.ts'
import { anchorsFile, createAudit, readAnchors } from './audit.ts'
import { auditKey, auditKeyFile, createSealer } from './seal.ts'
import { verifyAudit } from './verify-audit.ts'

const START = 1_790_000_000_000
const ENTRY = { actor: 'key:ci', action: 'runs.submit', target: 'project=/p', via: '10.0.0.1', result: 'ok' }

async function setUp() {
  const clock = { time: START, now: () => clock.time, sleep: () => Promise.resolve() }
  const folder = temporaryFolder()
  const store = await openStore(folder, { clock })
  onTestFinished(() => store.close())
  const audit = createAudit({ store: async () => store, clock })
  const sealer = createSealer(await auditKey(folder))
  const verify = async () => verifyAudit(store, { sealer, anchors: await readAnchors(folder) })
  const lines = () => store.access.auditLines({ limit: 1000 })
  /** What somebody does who can write the file of the store. */
  function tamper(sql: string): void {
    const database = new DatabaseSync(join(folder, 'store.db'))
    database.exec(sql)
    database.close()
  }
  async function write(count: number): Promise<void> {
    for (let at = 1; at <= count; at++) await audit.record({ ...ENTRY, target: `run=r${at}` })
  }
  return { clock, folder, store, audit, verify, lines, tamper, write }
}

describe('the record', () => {
  it('has a line for each call, in one chain over all processes, and is whole', async () => {
    const { audit, clock, folder, verify, lines } = await setUp()
    const other = await openStore(folder, { clock })
    onTestFinished(() => other.close())
    const second = createAudit({ store: async () => other, clock })
    await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? audit : second).record({ ...ENTRY, target: `${at}` })))
    const written = await lines()
    expect(written.map((it) => it.seq)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1))
    expect(new Set(written.map((it) => it.target)).size).toBe(40)
    expect(await verify()).toMatchObject({ lines: 40, broken: null, head: { seq: 40 } })
  })

  it('writes what comes together in few transactions, and each caller waits for its own line', async () => {
    const { store, clock } = await setUp()
    let transactions = 0
    const counted = new Proxy(store, {
      get(target, name) {
        if (name === 'appendAudit') transactions++
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value
      },
    })
    const audit = createAudit({ store: async () => counted, clock })
    await Promise.all(Array.from({ length: 100 }, () => audit.record(ENTRY)))
    expect(await store.access.auditLines({ limit: 1000 })).toHaveLength(100)
    expect(transactions).toBeLessThan(5)
  })

  it('rejects where it cannot be written, and goes on when it can again', async () => {
    const { store, clock } = await setUp()
    let broken = true
    const audit = createAudit({ store: () => (broken ? Promise.reject(new Error('disk full')) : Promise.resolve(store)), clock })
    await expect(audit.record(ENTRY)).rejects.toThrow('disk full')
    broken = false
    await audit.record(ENTRY)
    expect(await store.access.auditLines({ limit: 10 })).toMatchObject([{ seq: 1 }])
  })

  it('leaves out what one caller fails at again and again, and says so', async () => {
    const { audit, clock, lines } = await setUp()
    for (let at = 0; at < 100; at++) await audit.refused({ ...ENTRY, result: 'forbidden' })
    await audit.refused({ ...ENTRY, actor: 'key:other', result: 'forbidden' })
    const written = await lines()
    expect(written).toHaveLength(31)
    expect(written[29]?.result).toBe('forbidden; more of this caller are left out for a minute')
    clock.time += 60_000
    await audit.refused({ ...ENTRY, result: 'forbidden' })
    expect(await lines()).toHaveLength(32)
  })

  it('is filtered by time and caller, and holds no secret', async () => {
    const { clock, folder } = await setUp()
    const store = await openStore(folder, { clock, redact: (text) => text.replaceAll('hunter22', '[redacted]') })
    onTestFinished(() => store.close())
    const audit = createAudit({ store: async () => store, clock })
    await audit.record({ ...ENTRY, target: 'name=hunter22' })
    clock.time += 1000
    await audit.record({ ...ENTRY, actor: 'ada', target: 'x'.repeat(5000) })
    expect(await store.access.auditLines({ limit: 10, actor: 'key:ci' })).toMatchObject([{ seq: 1, target: 'name=[redacted]' }])
    const [late] = await store.access.auditLines({ limit: 10, since: START + 1 })
    expect([late?.seq, late?.target.length]).toEqual([2, 500])
  })
})

describe('49: the check of the record names', () => {
  it.each([
    ['a line that was altered', "update audit set actor = 'ada' where seq = 3", 3, 'is not as it was written, or was not written there'],
    ['a time that was altered', 'update audit set ts = ts - 1 where seq = 5', 5, 'is not as it was written'],
    ['a line that was deleted', 'delete from audit where seq = 3', 3, 'is missing: the next one is 4'],
    ['the first line that was deleted', 'delete from audit where seq = 1', 1, 'is missing: the next one is 2'],
    [
      'two lines that changed places',
      'update audit set seq = 99 where seq = 2; update audit set seq = 2 where seq = 4; update audit set seq = 4 where seq = 99',
      2,
      'is not as it was written, or was not written there',
    ],
    [
      'a deleted line whose place was closed',
      'delete from audit where seq = 2; update audit set seq = seq - 1 where seq > 2; update audit_head set seq = seq - 1',
      2,
      'is not as it was written, or was not written there',
    ],
    [
      'a line that was added',
      "insert into audit select 7, ts, actor, action, target, via, 'ok', sealed_by, seal from audit where seq = 6",
      7,
      'is not as',
    ],
    ['a tail that was cut', 'delete from audit where seq > 4', 5, 'is missing: the record went on to line 6'],
    [
      'a cut tail whose end was moved',
      'delete from audit where seq > 4; update audit_head set seq = 4, seal = (select seal from audit where seq = 4)',
      5,
      'may be missing: what says where the record ends is not as it was written',
    ],
    ['a cut tail without an end', 'delete from audit where seq > 4; delete from audit_head', 5, 'may be missing'],
    ['everything that was deleted', 'delete from audit', 1, 'is missing: the record went on to line 6'],
  ])('%s', async (_title, sql, line, problem) => {
    const { tamper, verify, write } = await setUp()
    await write(6)
    expect((await verify()).broken).toBeNull()
    tamper(sql)
    expect((await verify()).broken).toEqual({ line, problem: expect.stringContaining(problem) as string })
  })

  it('a tail that was cut together with its end by putting back an older store, where a later end was noted', async () => {
    const { clock, folder, tamper, verify, write } = await setUp()
    await write(2)
    const before = new DatabaseSync(join(folder, 'store.db'))
    const head = before.prepare('select seal from audit_head').get() as { seal: string }
    before.close()
    clock.time += 86_400_000
    await write(3)
    tamper(`delete from audit where seq > 2; update audit_head set seq = 2, seal = '${head.seal}'`)
    expect((await verify()).broken).toEqual({
      line: 3,
      problem: expect.stringMatching(/^is missing: on 2026-\S+ the record went on to line 3$/) as string,
    })
    // And what such a check cannot show: without the note the shorter record is whole in itself.
    rmSync(anchorsFile(folder))
    expect(await verify()).toMatchObject({ lines: 2, broken: null })
  })

  it('a record that somebody has written anew with a key of their own', async () => {
    const { folder, verify, write, tamper } = await setUp()
    await write(2)
    const noted = await readAnchors(folder)
    expect(noted).toMatchObject([{ seq: 1 }])
    tamper("update audit set sealed_by = 'xxxxxxxx'")
    expect((await verify()).broken).toEqual({
      line: 1,
      problem: expect.stringContaining('was sealed with another key (xxxxxxxx)') as string,
    })
  })

  it('nothing where the record went on after a cut, but the gap', async () => {
    const { tamper, verify, write } = await setUp()
    await write(4)
    tamper('delete from audit where seq > 2')
    await write(1)
    expect((await verify()).broken).toEqual({ line: 3, problem: 'is missing: the next one is 5' })
  })
})

describe('the key of the seals', () => {
  it('is made once, for its owner only, by however many at the same time', async () => {
    const folder = temporaryFolder()
    const keys = await Promise.all(Array.from({ length: 8 }, () => auditKey(folder)))
    expect(new Set(keys).size).toBe(1)
    expect(statSync(auditKeyFile(folder)).mode & 0o777).toBe(0o600)
    expect(readFileSync(auditKeyFile(folder), 'utf8').trim()).toBe(keys[0])
  })

  it('is not taken where others can read it, or where it is none', async () => {
    const folder = temporaryFolder()
    await auditKey(folder)
    chmodSync(auditKeyFile(folder), 0o644)
    await expect(auditKey(folder)).rejects.toThrow('can be read by others')
    chmodSync(auditKeyFile(folder), 0o600)
    writeFileSync(auditKeyFile(folder), 'short\n')
    await expect(auditKey(folder)).rejects.toThrow('is not one of ours')
  })
})
