import type { DetectedCommand } from '../port.ts'
import { type Argv, command } from './command.ts'
import { type ProjectFiles, under } from './project-files.ts'

/** Ignores itself, so a build never dirties the tree. */
const FOLDER = 'build-reeve'
const NEEDS = { program: 'cmake', hint: 'Install CMake 3.21 or newer, and a C or C++ compiler.' }
const CONFIGURE: Argv = ['cmake', '-S', '.', '-B', FOLDER]
// Two jobs: more of them take the memory of small machines; a larger machine sets CMAKE_BUILD_PARALLEL_LEVEL or its own command.
const BUILD: Argv = ['cmake', '--build', FOLDER, '--parallel', '2']
const NO_LIMIT = String(64 * 1024 * 1024)

function ctest(folder: string): Argv {
  // The whole output of each test: the googletest names in it tie a test of CTest to its single cases.
  const sizes = ['--test-output-size-passed', NO_LIMIT, '--test-output-size-failed', NO_LIMIT] as const
  return ['ctest', '--test-dir', folder, '--output-on-failure', '--output-junit', '{report}/ctest.xml', ...sizes]
}

async function testsAreDeclared(project: ProjectFiles, folder: string): Promise<boolean> {
  const lists = project.all.filter((it) => /(?:^|\/)CMakeLists\.txt$|\.cmake$/.test(it) && (folder === '.' || it.startsWith(`${folder}/`)))
  for (const path of lists.slice(0, 50)) {
    if (
      /\b(?:enable_testing|add_test|gtest_discover_tests|catch_discover_tests|doctest_discover_tests|include\s*\(\s*CTest)/i.test(
        await project.text(path),
      )
    )
      return true
  }
  return false
}

function coverage(cwd: string, manifest: string): DetectedCommand {
  const folder = `${FOLDER}-coverage`
  const flags = ['-DCMAKE_C_FLAGS=--coverage', '-DCMAKE_CXX_FLAGS=--coverage', '-DCMAKE_BUILD_TYPE=Debug']
  return command({
    gate: 'coverage',
    tool: 'gcovr',
    argv: ['gcovr', '--root', '.', folder, '--cobertura', '{report}/cobertura.xml'],
    cwd,
    reason: `${manifest} declares tests; gcov measures them`,
    typed: 'gcovr --cobertura',
    needs: { program: 'gcovr', hint: 'Install gcovr to measure the coverage of C and C++.' },
    report: { format: 'cobertura', path: '{report}/cobertura.xml' },
    prepare: [
      { argv: ['cmake', '-S', '.', '-B', folder, ...flags] },
      { argv: ['cmake', '--build', folder, '--parallel', '2'] },
      { argv: ctest(folder), mayFail: true },
    ],
    buildFolder: { path: folder, fresh: true },
  })
}

async function detectFolder(project: ProjectFiles, cwd: string): Promise<DetectedCommand[]> {
  const manifest = under(cwd, 'CMakeLists.txt')
  const build = command({
    gate: 'build',
    tool: 'cmake',
    argv: BUILD,
    cwd,
    reason: manifest,
    typed: `cmake -S . -B ${FOLDER} && cmake --build ${FOLDER}`,
    needs: NEEDS,
    report: { format: 'text', path: null },
    prepare: [{ argv: CONFIGURE }],
    buildFolder: { path: FOLDER, fresh: true },
  })
  if (!(await testsAreDeclared(project, cwd))) return [build]
  const tests = command({
    gate: 'tests',
    tool: 'ctest',
    argv: ctest(FOLDER),
    cwd,
    reason: `${manifest} declares tests for CTest`,
    typed: `ctest --test-dir ${FOLDER}`,
    needs: { program: 'ctest', hint: NEEDS.hint },
    env: { GTEST_OUTPUT: 'xml:{report}/gtest/' },
    report: { format: 'junit', path: '{report}/ctest.xml' },
    prepare: [{ argv: CONFIGURE }, { argv: BUILD }],
    buildFolder: { path: FOLDER, fresh: false },
  })
  return [build, tests, coverage(cwd, manifest)]
}

/** C and C++ with CMake: configured and built in a folder of reeve's own, tested by CTest. */
export async function detectCmake(project: ProjectFiles): Promise<DetectedCommand[]> {
  const found = await Promise.all(project.foldersWith(['CMakeLists.txt']).map((folder) => detectFolder(project, folder)))
  return found.flat()
}
