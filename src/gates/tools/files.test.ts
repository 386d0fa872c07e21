import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, truncateSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import type { DetectedCommand } from '../../scanner/port.ts'
import { makeBuildFolder } from './build-folder.ts'
import { expandArgv } from './expand.ts'
import { loadReports, loadUsual } from './load-reports.ts'
import { places } from './place.ts'
import { searchPath } from './search-path.ts'

const command = (more: Partial<DetectedCommand>): DetectedCommand => ({
  gate: 'tests',
  tool: 'x',
  argv: ['x'],
  command: 'x',
  cwd: '.',
  reason: '',
  needs: null,
  report: null,
  ...more,
})

describe('the paths of a checkout', () => {
  const at = places(['/var/run/co', '/private/var/run/co'], 'pkg', ['/tmp/reeve-report-1'])

  it('are told from its root, also when the tool names them from its folder', () => {
    expect(at.place('/var/run/co/src/a.js')).toBe('src/a.js')
    expect(at.place('/private/var/run/co/src/a.js')).toBe('src/a.js')
    expect(at.place('file:///var/run/co/a.js')).toBe('a.js')
    expect(at.place('src/a.js')).toBe('pkg/src/a.js')
    expect(at.place('../a.js')).toBe('a.js')
    expect(at.place(String.raw`src\a.js`)).toBe('pkg/src/a.js')
  })

  it('are none when they lead elsewhere', () => {
    for (const path of ['/etc/passwd', '/var/run/co2/a.js', '/var/run/co/../x', '../../a.js', '', 'a\0b', '/var/run/co'])
      expect(at.place(path), path).toBeNull()
  })

  it('do not stay in any text, nor do colours', () => {
    const text =
      '\u001b[31mError\u001b[0m at /private/var/run/co/a.js:3 file:///var/run/co/b.js in /var/run/co and /tmp/reeve-report-1/x.py'
    expect(at.clean(text)).toBe('Error at a.js:3 b.js in . and {report}/x.py')
  })

  it('a long text is cut, and says so', () => {
    expect(at.clean('x'.repeat(20_000))).toMatch(/x{8000}\n\[\.\.\. 12000 characters left out\]$/)
  })
})

const expand = async (it: DetectedCommand, onlyTests?: string[], folder = '/') =>
  await expandArgv(it, it.argv, { folder, reportFolder: '/r', onlyTests })

describe('the arguments of a command', () => {
  it('get the report folder, and all tests or the chosen ones', async () => {
    const it = command({ argv: ['vitest', 'run', 'src', '--out={report}/a', '{tests}'], testPaths: ['src'] })
    expect(await expand(it)).toEqual(['vitest', 'run', 'src', '--out=/r/a'])
    expect(await expand(it, ['src/a.test.ts'])).toEqual(['vitest', 'run', '--out=/r/a', 'src/a.test.ts'])
  })

  it('name tests from the folder of the command and leave out those of others', async () => {
    const it = command({ argv: ['pytest', '{tests}'], cwd: 'backend' })
    expect(await expand(it, ['backend/tests/test_a.py', 'frontend/a.test.ts'])).toEqual(['pytest', 'tests/test_a.py'])
    expect(await expand(command({ argv: ['pytest', '{tests}'] }), ['-rf', '/etc/x'])).toEqual(['pytest'])
  })

  it('name packages, targets or classes where the tool wants them', async () => {
    const go = command({ tool: 'go-test', argv: ['go', 'test', '{tests}', './...'], testPaths: ['./...'] })
    expect(await expand(go, ['a/x_test.go', 'a/y_test.go', 'z_test.go'])).toEqual(['go', 'test', './a', './.'])
    const cargo = command({ tool: 'cargo-test', argv: ['cargo', 'test', '{tests}'] })
    expect(await expand(cargo, ['tests/outer.rs'])).toEqual(['cargo', 'test', '--test', 'outer'])
    expect(await expand(cargo, ['src/lib.rs'])).toEqual(['cargo', 'test'])
    const jest = command({ tool: 'jest', argv: ['jest', 'src', '{tests}'], testPaths: ['src'] })
    expect(await expand(jest, ['src/[id].test.js'])).toEqual(['jest', '--runTestsByPath', 'src/[id].test.js'])
    const maven = command({ tool: 'maven', argv: ['mvn', '{tests}', 'test'] })
    expect(await expand(maven, ['src/test/java/demo/CalcTest.java'])).toEqual(['mvn', '-Dtest=CalcTest', '-DfailIfNoTests=false', 'test'])
  })

  it('are expanded as a shell does it', async () => {
    const folder = temporaryFolder()
    writeFiles(folder, { 'test/b.mjs': '', 'test/a.mjs': '', 'test/deep/c.mjs': '' })
    const it = command({ argv: ['node', 'test/*.mjs', 'none/*.x', 'a[b]c'], globs: ['test/*.mjs', 'none/*.x'] })
    expect(await expand(it, undefined, folder)).toEqual(['node', 'test/a.mjs', 'test/b.mjs', 'none/*.x', 'a[b]c'])
  })
})

describe('a report', () => {
  it('is read when it is new, plain and not too large', async () => {
    const folder = temporaryFolder()
    writeFiles(folder, {
      'a/target/surefire-reports/TEST-1.xml': '<one/>',
      'a/target/surefire-reports/TEST-old.xml': '<old/>',
      'node_modules/target/surefire-reports/TEST-no.xml': '',
    })
    const hour = Date.now() / 1000 - 3600
    utimesSync(join(folder, 'a/target/surefire-reports/TEST-old.xml'), hour, hour)
    symlinkSync('/etc/passwd', join(folder, 'a/target/surefire-reports/TEST-link.xml'))
    const found = await loadReports(
      command({ report: { format: 'junit', path: '**/target/surefire-reports/TEST-*.xml' } }),
      folder,
      '/r',
      Date.now() - 60_000,
    )
    expect(found.files.map((it) => it.text)).toEqual(['<one/>'])
  })

  it('is one of so many that together they are too large, and says so', async () => {
    const folder = temporaryFolder()
    const names = Array.from({ length: 12 }, (_, at) => `r${at}.xml`)
    writeFiles(folder, Object.fromEntries(names.map((it) => [it, ''])))
    // All holes: they take no room on the disk, and all of theirs in memory.
    for (const it of names) truncateSync(join(folder, it), 16 * 1024 * 1024)
    const found = await loadReports(command({ report: { format: 'junit', path: '*.xml' } }), folder, '/r', 0)
    expect(found.files).toHaveLength(8)
    expect(found.problem).toBe('The reports together are larger than 128 MiB.')
  })

  it('is what a broken encoding leaves of it', async () => {
    const folder = temporaryFolder()
    const { writeFileSync } = await import('node:fs')
    writeFileSync(join(folder, 'r.xml'), Buffer.from([0x3c, 0x61, 0xff, 0xfe, 0x3e]))
    const found = await loadReports(command({ report: { format: 'junit', path: '{report}/r.xml' } }), '/', folder, 0)
    expect(found.files[0]?.text).toBe('<a\ufffd\ufffd>')
  })

  it('at a usual place counts only when the command has just written it', async () => {
    const folder = temporaryFolder()
    writeFiles(folder, { 'junit.xml': '<testsuites/>' })
    expect(await loadUsual(folder, Date.now() - 10_000)).toHaveLength(1)
    expect(await loadUsual(folder, Date.now() + 10_000)).toHaveLength(0)
  })
})

describe('the build folder', () => {
  it('ignores itself, and is emptied when it must be fresh', async () => {
    const folder = temporaryFolder()
    writeFiles(folder, { 'b/old.o': '' })
    await makeBuildFolder(folder, command({ buildFolder: { path: 'b', fresh: false } }))
    expect(readFileSync(join(folder, 'b/.gitignore'), 'utf8')).toBe('*\n')
    expect(existsSync(join(folder, 'b/old.o'))).toBe(true)
    await makeBuildFolder(folder, command({ buildFolder: { path: 'b', fresh: true } }))
    expect(existsSync(join(folder, 'b/old.o'))).toBe(false)
  })

  it('follows no link out of the checkout', async () => {
    const folder = temporaryFolder()
    const outside = temporaryFolder()
    writeFiles(outside, { 'keep.txt': 'mine', 'ignore.txt': 'mine' })
    for (const fresh of [true, false]) {
      symlinkSync(outside, join(folder, `b-${fresh}`))
      await makeBuildFolder(folder, command({ buildFolder: { path: `b-${fresh}`, fresh } }))
      expect(lstatSync(join(folder, `b-${fresh}`)).isSymbolicLink()).toBe(false)
    }
    mkdirSync(join(folder, 'c'))
    symlinkSync(join(outside, 'ignore.txt'), join(folder, 'c/.gitignore'))
    await makeBuildFolder(folder, command({ buildFolder: { path: 'c', fresh: false } }))
    expect(readFileSync(join(outside, 'ignore.txt'), 'utf8')).toBe('mine')
    expect(readFileSync(join(outside, 'keep.txt'), 'utf8')).toBe('mine')
    expect(existsSync(join(outside, '.gitignore'))).toBe(false)
  })
})

describe('the search path', () => {
  const checkout = { path: '/co', targetDir: '.', env: { PATH: '/usr/bin' } }

  it('has the tools of the project, from the folder up to the root', () => {
    expect(searchPath(command({ tool: 'vitest' }), checkout, '/co/packages/a')).toBe(
      '/co/packages/a/node_modules/.bin:/co/packages/node_modules/.bin:/co/node_modules/.bin:/usr/bin',
    )
    expect(searchPath(command({ tool: 'pytest' }), checkout, '/co')).toBe('/co/.venv/bin:/co/venv/bin:/usr/bin')
  })

  it('has nothing of the project for a compiler', () => {
    expect(searchPath(command({ tool: 'ctest' }), checkout, '/co')).toBe('/usr/bin')
  })
})
