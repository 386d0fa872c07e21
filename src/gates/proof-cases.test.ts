import { describe, expect, it } from 'vitest'
import { nameFits, namesMissing } from './proof-cases.ts'

describe('a reported test and the written one it comes from', () => {
  it.each([
    ['adds', 'a.test.ts > sums > adds'],
    ['doubles %i', 'a.test.ts > doubles 3'],
    ['says $word twice', 'a.test.ts > says hello twice'],
    [`of \${name}`, 'a.test.ts > of Ada'],
    ['test_add', 'tests/test_a.py > test_add[1-2]'],
    ['test_add', 'tests/test_a.py > TestSum > test_add'],
    ['TestAdd', 'example.com/sums > TestAdd > with zero'],
    ['adds', 'sums > tests > adds'],
    ['adds', 'com.example.SumTest > adds()'],
  ])('%s gives %s', (written, name) => expect(nameFits(written, name)).toBe(true))

  it.each([
    ['adds', 'a.test.ts > adds more'],
    ['a.test.ts', 'a.test.ts > adds'],
    ['test_add', 'tests/test_a.py > test_add_more'],
    ['doubles', 'a.test.ts > doubles 3'],
  ])('%s does not give %s', (written, name) => expect(nameFits(written, name)).toBe(false))
})

describe('a message that says what is missing', () => {
  const brought = new Set(['double', 'invoice', 'is_roman'])
  it.each([
    "SyntaxError: The requested module '../src/a.js' does not provide an export named 'double'",
    "ImportError: cannot import name 'double' from 'sums'",
    "ModuleNotFoundError: No module named 'invoice'",
    'TypeError: (0 , double) is not a function',
    "Error: Cannot find module '../src/invoice.js'",
    "AttributeError: module 'sums' has no attribute 'double'",
    "error: 'is_roman' is not a member of 'roman'",
    "tests/a.c:9: error: implicit declaration of function 'double'",
    './a_test.go:8:7: undefined: double',
    'error[E0425]: cannot find function `double` in this scope',
    "NoMethodError: undefined method 'double' for Sums",
    "error TS2305: Module '\"./a\"' has no exported member 'double'.",
    'UndefinedFunctionError: function Sums.double/1 is undefined or private',
    'error: cannot find symbol\n  symbol: method double(int)',
  ])('is understood: %s', (message) => expect(namesMissing(message, brought)).toBe(true))

  it.each(["Cannot find module 'left-pad'", 'expected double to be 4', 'connect ECONNREFUSED'])('is not: %s', (message) =>
    expect(namesMissing(message, brought)).toBe(false),
  )
})
