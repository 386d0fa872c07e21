import type { DetectedCommand } from '../../scanner/port.ts'
import { readLines } from '../reports/lines.ts'
import { NOTHING, type Reader, type ReaderInput, type Reading } from '../reports/reading.ts'
import { readCargoMessages, readCargoTest } from './cargo.ts'
import { readCtest, uncompiled } from './ctest.ts'
import { readExunit } from './exunit.ts'
import {
  readCoberturaReport,
  readJacocoReport,
  readLcovReport,
  readSarifReport,
  readTapReport,
  readUnknown,
  textReader,
} from './formats.ts'
import { readGoCoverage, readGoTest } from './go-test.ts'
import { readJest, readMocha, readUnittest } from './json-cases.ts'
import { ANY_JUNIT, BUN_JUNIT, JAVA_JUNIT, junitReader, NODE_JUNIT, PYTEST_JUNIT, VITEST_JUNIT } from './junit-cases.ts'
import { readBiome, readCoveragePy, readCredo, readEslint, readOxlint, readPyright, readRubocop, readRuff } from './lint-json.ts'

import { readMinitest, readRspec } from './ruby.ts'

const javaJunit = junitReader(JAVA_JUNIT)

/** Surefire and Gradle write reports when there are tests that compile; else the compiler has spoken. */
const readJava: Reader = (input) => {
  if (input.reports.length > 0) return javaJunit(input)
  const findings = readLines(`${input.stdout}\n${input.stderr}`, 'compiler', input.place)
  const broken = input.exitCode === 0 ? [] : uncompiled(findings)
  if (broken.length > 0) return { ...NOTHING, cases: broken }
  return { ...NOTHING, findings, cases: input.exitCode === 0 ? [] : null }
}

/** Who reads the output of a tool. */
const BY_TOOL: Readonly<Record<string, Reader>> = {
  vitest: junitReader(VITEST_JUNIT),
  'node-test': junitReader(NODE_JUNIT),
  'bun-test': junitReader(BUN_JUNIT),
  jest: readJest,
  mocha: readMocha,
  ava: readTapReport,
  pytest: junitReader(PYTEST_JUNIT),
  unittest: readUnittest,
  ctest: readCtest,
  maven: readJava,
  gradle: readJava,
  'go-test': readGoTest,
  'go-cover': readGoCoverage,
  'go-build': textReader('compiler'),
  'go-vet': textReader('go-vet'),
  'golangci-lint': textReader('golangci-lint'),
  'cargo-test': readCargoTest,
  'cargo-build': readCargoMessages,
  'cargo-clippy': readCargoMessages,
  'maven-build': textReader('compiler'),
  'gradle-build': textReader('compiler'),
  jacoco: readJacocoReport,
  mix: readExunit,
  'mix-compile': textReader('compiler'),
  rspec: readRspec,
  minitest: readMinitest,
  eslint: readEslint,
  biome: readBiome,
  oxlint: readOxlint,
  ruff: readRuff,
  pyright: readPyright,
  rubocop: readRubocop,
  credo: readCredo,
  'coverage.py': readCoveragePy,
  tsc: textReader('tsc'),
  mypy: textReader('mypy'),
  flake8: textReader('flake8'),
  cmake: textReader('compiler'),
}

/** Who reads a format whose tool we do not know. */
const BY_FORMAT: Readonly<Record<string, Reader>> = {
  junit: junitReader(ANY_JUNIT),
  tap: readTapReport,
  lcov: readLcovReport,
  cobertura: readCoberturaReport,
  sarif: readSarifReport,
  text: textReader('output'),
}

/** Tools whose report is there whenever they ran: without it, they did not. */
const SURE_REPORTERS = new Set([
  'vitest',
  'node-test',
  'bun-test',
  'jest',
  'mocha',
  'ava',
  'pytest',
  'unittest',
  'ctest',
  'go-test',
  'cargo-test',
  'rspec',
  'mix',
])

/** Commands that nobody asked for a report. */
export function isUnknown(command: DetectedCommand): boolean {
  return !(command.tool in BY_TOOL) && (command.report === null || command.report.format === 'exit-code')
}

export function readerFor(command: DetectedCommand): Reader {
  return BY_TOOL[command.tool] ?? BY_FORMAT[command.report?.format ?? ''] ?? (isUnknown(command) ? readUnknown : () => NOTHING)
}

/** What runners say that end with a failure and no report when they find nothing to run. */
const NONE_FOUND = /^(?:\s*)(?:Error: )?No test(?:s| files) found\b/m

/** A tests gate whose runner said that there are no tests: none, instead of nothing known. */
export function withoutTests(command: DetectedCommand, run: Pick<ReaderInput, 'stdout' | 'stderr'>, reading: Reading): Reading {
  if (reading.cases !== null || reading.problem !== null || !alwaysReports(command)) return reading
  return NONE_FOUND.test(`${run.stdout}\n${run.stderr}`) ? { ...reading, cases: [] } : reading
}

/** A command that did not come to its own turn, because what must run before it failed: only what compilers say is read. */
export function readBroken(command: DetectedCommand): Reader {
  // CTest's reader turns files that do not compile into failed tests.
  return command.tool === 'ctest' ? readCtest : textReader('output')
}

/** Whether a tests gate of this command without any case means that none was collected, even when the report is missing. */
export function alwaysReports(command: DetectedCommand): boolean {
  return SURE_REPORTERS.has(command.tool)
}
