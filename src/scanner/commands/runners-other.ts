import { texts } from './command.ts'
import { after, type Runner } from './runner.ts'
import { positionals, withoutOptions } from './shell-words.ts'

const GO: Runner = {
  tool: 'go-test',
  gate: 'tests',
  arguments: (words) => after(words, 'go', 'test'),
  extend(own) {
    const args = withoutOptions(own, { flags: ['-json', '-v'] })
    // Packages stand last; files of tests are turned into their packages by the gate.
    const packages = args.filter((it) => /^\.{1,3}(?:\/|$)/.test(it.text))
    return {
      argv: ['go', 'test', '-json', ...texts(args.filter((it) => !packages.includes(it))), '{tests}', ...texts(packages)],
      report: { format: 'json', path: null },
      needs: { program: 'go', hint: 'Install Go.' },
      chosen: packages,
    }
  },
}

const CARGO: Runner = {
  tool: 'cargo-test',
  gate: 'tests',
  arguments(words) {
    const own = after(words, 'cargo', 'test')
    return own && !own.some((it) => it.text === '--') ? own : null
  },
  extend: (own) => ({
    argv: ['cargo', 'test', ...texts(own), ...(own.some((it) => it.text === '--no-fail-fast') ? [] : ['--no-fail-fast']), '{tests}'],
    report: { format: 'text', path: null },
    needs: { program: 'cargo', hint: 'Install Rust with its cargo.' },
  }),
}

const CTEST: Runner = {
  tool: 'ctest',
  gate: 'tests',
  arguments: (words) => after(words, 'ctest'),
  extend: (own) => ({
    argv: [
      'ctest',
      ...texts(withoutOptions(own, { valued: ['--output-junit'] })),
      '--output-junit',
      '{report}/ctest.xml',
      '--test-output-size-passed',
      '67108864',
      '--test-output-size-failed',
      '67108864',
    ],
    report: { format: 'junit', path: '{report}/ctest.xml' },
    needs: { program: 'ctest', hint: 'Install CMake 3.21 or newer.' },
    env: { GTEST_OUTPUT: 'xml:{report}/gtest/' },
  }),
}

const RSPEC: Runner = {
  tool: 'rspec',
  gate: 'tests',
  arguments: (words) => after(words, 'rspec'),
  extend(own) {
    const args = withoutOptions(own, { valued: ['--format', '-f', '--out', '-o'] })
    return {
      argv: ['rspec', ...texts(args), '--no-color', '--format', 'progress', '--format', 'json', '--out', '{report}/rspec.json', '{tests}'],
      report: { format: 'json', path: '{report}/rspec.json' },
      needs: { program: 'rspec', hint: 'Install Ruby and rspec.' },
      chosen: positionals(args, ['-e', '--example', '-t', '--tag', '-r', '--require', '-I', '--seed', '--order', '-P', '--pattern']),
    }
  },
}

/** Test runners of the other languages, as people write them in reeve.toml and in tasks. */
export const OTHER_TEST_RUNNERS: readonly Runner[] = [GO, CARGO, CTEST, RSPEC]
