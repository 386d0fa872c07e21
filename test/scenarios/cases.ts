import { acts, type Call, edit, type FixtureName, type Reply, write } from '../support/fixture-project.ts'
import type { TaskFile } from '../support/reeve.ts'

/** A task on a fixture project with what a good and a bad agent would do about it. */
export interface Case {
  fixture: FixtureName
  task: TaskFile
  /** Production file that the task is about. */
  file: string
  testFile: string
  /** Tests that are red on the base. */
  tests: Call
  /** The change that makes them green. */
  right: Call[]
  /** A change that does not, or breaks what was there. */
  wrong: Call
}

const RANGES_TEST = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeRanges } from '../src/ranges.js'

test('joins ranges that touch', () => {
  assert.deepEqual(mergeRanges([[1, 2], [3, 4]]), [[1, 4]])
})

test('joins three in a row', () => {
  assert.deepEqual(mergeRanges([[1, 1], [2, 2], [3, 3], [5, 6]]), [[1, 3], [5, 6]])
})
`

export const RANGES: Case = {
  fixture: 'node-test',
  task: {
    id: 'touching-ranges',
    title: 'Join ranges that touch',
    description: 'mergeRanges leaves 1-2 and 3-4 apart. Ranges that touch must become one: 1-4.',
    kind: 'bugfix',
  },
  file: 'src/ranges.js',
  testFile: 'test/touching.test.js',
  tests: write('test/touching.test.js', RANGES_TEST),
  right: [edit('src/ranges.js', 'first <= before[1])', 'first <= before[1] + 1)')],
  wrong: edit('src/ranges.js', 'first <= before[1])', 'first <= before[1] + 2)'),
}

const CENTS_TEST = `import { expect, it } from 'vitest'
import { formatCents } from '../src/cents.ts'

it('groups thousands', () => {
  expect(formatCents(123_456_789)).toBe('1,234,567.89')
})

it('groups them in debts too', () => {
  expect(formatCents(-100_000)).toBe('-1,000.00')
})
`

export const CENTS: Case = {
  fixture: 'typescript-vitest',
  task: {
    id: 'group-thousands',
    title: 'Group thousands',
    description: 'formatCents shows 123456789 as 1234567.89. People want 1,234,567.89.',
    kind: 'feature',
  },
  file: 'src/cents.ts',
  testFile: 'test/thousands.test.ts',
  tests: write('test/thousands.test.ts', CENTS_TEST),
  right: [
    edit(
      'src/cents.ts',
      'const whole = Math.floor(Math.abs(cents) / 100)',
      "const whole = String(Math.floor(Math.abs(cents) / 100)).replaceAll(/\\B(?=(?:\\d{3})+$)/g, ',')",
    ),
  ],
  wrong: edit(
    'src/cents.ts',
    'const whole = Math.floor(Math.abs(cents) / 100)',
    "const whole = String(Math.floor(Math.abs(cents) / 100)).replace(/\\B(?=(?:\\d{3})+$)/, ',')",
  ),
}

const TEMPO_TEST = `from tempo import format_duration, parse_duration


def test_reads_days():
    assert parse_duration("1d2h") == 93600


def test_shows_days():
    assert format_duration(93600) == "1d 2h"
`

export const TEMPO: Case = {
  fixture: 'python-pytest',
  task: {
    id: 'days',
    title: 'Durations with days',
    description: 'Read and show days: 1d2h is 93600 seconds, and 93600 seconds are shown as 1d 2h.',
    kind: 'feature',
  },
  file: 'tempo/durations.py',
  testFile: 'tests/test_days.py',
  tests: write('tests/test_days.py', TEMPO_TEST),
  right: [edit('tempo/durations.py', '_UNITS = {"h"', '_UNITS = {"d": 86400, "h"')],
  wrong: edit('tempo/durations.py', '_UNITS = {"h"', '_UNITS = {"d": 86000, "h"'),
}

const ROMAN_TEST = `#include "roman/roman.h"

#include <gtest/gtest.h>

using roman::from_roman;
using roman::to_roman;

TEST(ToRoman, WritesSubtractivePairs) {
  EXPECT_EQ(to_roman(1994), "MCMXCIV");
  EXPECT_EQ(to_roman(49), "XLIX");
}

TEST(ToRoman, HasNothingOutsideItsRange) {
  EXPECT_EQ(to_roman(0), std::nullopt);
  EXPECT_EQ(to_roman(4000), std::nullopt);
}

TEST(FromRoman, ReadsWhatToRomanWrites) {
  for (int number = 1; number < 4000; number++) EXPECT_EQ(from_roman(*to_roman(number)), number);
}

TEST(FromRoman, RefusesUnusualSpellings) {
  EXPECT_EQ(from_roman("IIII"), std::nullopt);
  EXPECT_EQ(from_roman(""), std::nullopt);
}

TEST(FromRoman, ReadsLowerCase) {
  EXPECT_EQ(from_roman("xiv"), 14);
  EXPECT_EQ(from_roman("iiii"), std::nullopt);
}
`

const UPPER = `  std::string upper(numeral);
  for (char& it : upper) {
    if (it >= 'a' && it <= 'z') it = static_cast<char>(it - 'a' + 'A');
  }
  std::string_view rest = upper;`

export const ROMAN: Case = {
  fixture: 'cpp-cmake',
  task: {
    id: 'lower-case',
    title: 'Read lower case numerals',
    description: 'from_roman refuses xiv. It must read lower case letters as it reads capitals.',
    kind: 'feature',
  },
  file: 'src/roman.cpp',
  testFile: 'tests/roman_test.cpp',
  tests: write('tests/roman_test.cpp', ROMAN_TEST),
  right: [
    edit('src/roman.cpp', '  std::string_view rest = numeral;', UPPER),
    edit('src/roman.cpp', 'to_roman(number) != numeral', 'to_roman(number) != upper'),
  ],
  wrong: edit('src/roman.cpp', '  std::string_view rest = numeral;', UPPER),
}

const WORDS_TEST = `#include "words.h"

#include <stdio.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                        \\
  do {                                                                          \\
    if (!(condition)) {                                                         \\
      failures++;                                                               \\
      fprintf(stderr, "%s:%d: CHECK(%s) failed\\n", __FILE__, __LINE__, #condition); \\
    }                                                                           \\
  } while (0)

static void counts_words(void) {
  CHECK(words_count("") == 0);
  CHECK(words_count("  one  two ") == 2);
  CHECK(words_count("one\\ttwo\\nthree") == 3);
}

static void trims_both_ends(void) {
  char text[] = "  in the middle ";
  CHECK(strcmp(words_trim(text), "in the middle") == 0);
  char blank[] = "   ";
  CHECK(strcmp(words_trim(blank), "") == 0);
  char line[] = "\\ta line\\n";
  CHECK(strcmp(words_trim(line), "a line") == 0);
}

int main(void) {
  counts_words();
  trims_both_ends();
  printf("%s\\n", failures == 0 ? "all checks passed" : "some checks failed");
  return failures == 0 ? 0 : 1;
}
`

export const WORDS: Case = {
  fixture: 'make-plain',
  task: {
    id: 'all-blanks',
    title: 'Treat tabs and line ends as blanks',
    description: 'words_count and words_trim know the space only. Tabs and line ends are blanks too.',
    kind: 'bugfix',
  },
  file: 'src/words.c',
  testFile: 'tests/test_words.c',
  tests: write('tests/test_words.c', WORDS_TEST),
  right: [edit('src/words.c', "return it == ' ';", "return it == ' ' || (it >= '\\t' && it <= '\\r');")],
  wrong: edit('src/words.c', "return it == ' ';", "return it == ' ' || it == '\\t';"),
}

/** What the scripted provider says so that `direct` goes well. */
export function goodDirect({ tests, right }: Case): Reply[] {
  return [{ role: 'implementer', turns: acts(tests, ...right) }]
}

/** What the scripted provider says so that `build` goes well after a first attempt that is wrong. */
export function goodBuild(it: Case): Reply[] {
  const plan = { summary: 'One part.', parts: [{ id: 'all', title: it.task.title, goal: it.task.description, files: [it.file] }] }
  return [
    { role: 'architect', text: JSON.stringify(plan) },
    { role: 'spec-author', turns: acts(it.tests) },
    { role: 'implementer', attempt: 1, turns: acts(it.wrong) },
    { role: 'reviewer', text: 'The change does not do what the tests say.' },
    { role: 'implementer', attempt: 2, turns: acts(undo(it), ...it.right) },
  ]
}

/** The files are as the last attempt left them: takes the wrong change back. */
function undo({ wrong }: Case): Call {
  const { path, old, new: made } = wrong.input as { path: string; old: string; new: string }
  return edit(path, made, old)
}
