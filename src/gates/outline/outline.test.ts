import { describe, expect, it } from 'vitest'
import { isVacuous, isWeak, literalsIn } from './assertions.ts'
import { outlineTests } from './outline.ts'

const brief = (path: string, text: string) =>
  outlineTests(path, text)?.map((it) => `${it.skipped ? 'skipped ' : ''}${it.only ? 'only ' : ''}${it.name} [${it.assertions.length}]`)

describe('tests of JavaScript and TypeScript', () => {
  it('finds nested tests with their titles, marks and assertions', () => {
    const text = `
import { expect, it, describe, test } from 'vitest'
// it('in a comment', () => {})
const source = "it('in a string', () => {})"
describe('sums', () => {
  it('adds', () => {
    expect(add(1, 2)).toBe(3)
    expect(add("it('x')", 2)).not.toBe(4)
  })
  it.skip('later', () => { expect(1).toBe(2) })
  it.todo('some day')
  describe.skip('off', () => { test('inside', () => { assert.equal(a, 1) }) })
})
test.each([[1, 2], [3, 4]])('doubles %i', (a, b) => { expect(a * 2).toBe(b) })
it.only('alone', async () => { await expect(run()).rejects.toThrow('no') })
xit('crossed out', () => {})
test('with options', { skip: true }, () => {})
test('by the context', (t) => { t.skip('why'); assert.ok(true) })
pattern.test('no test at all')
`
    expect(brief('a.test.ts', text)).toEqual([
      'sums > adds [2]',
      'skipped sums > later [1]',
      'skipped sums > some day [0]',
      'skipped sums > off > inside [1]',
      'doubles %i [1]',
      'only alone [1]',
      'skipped crossed out [0]',
      'skipped with options [0]',
      'skipped by the context [1]',
    ])
  })

  it('is not led astray by regular expressions, templates and quotes', () => {
    const text = `
it('a "quoted" title', () => {
  expect(/['"(]/.test(x)).toBe(true)
  expect(\`\${list.map((it) => \`(\${it}\`)}\`).toBe(')')
})
it('next', () => { expect(1 / 2).toBe(y / 2) })
`
    expect(brief('a.test.js', text)).toEqual(['a "quoted" title [2]', 'next [1]'])
  })
})

describe('tests of Python', () => {
  it('finds functions and methods with decorators', () => {
    const text = `
import pytest

@pytest.mark.parametrize(
    "a, b",
    [(1, 2), (3, 4)],
)
def test_add(a, b):
    assert add(a) == b
    with pytest.raises(ValueError):
        add(None)

@pytest.mark.skip(reason="later")
def test_later():
    assert False

class TestThing(unittest.TestCase):
    def test_method(self):
        """def test_in_a_string(): pass"""
        self.assertEqual(
            1, one()
        )

    @unittest.expectedFailure
    def test_wrong(self):
        self.fail()

    def helper(self):
        assert False

async def test_async():
    if x:
        pytest.skip("no")
`
    expect(brief('test_a.py', text)).toEqual([
      'test_add [2]',
      'skipped test_later [1]',
      'TestThing > test_method [1]',
      'skipped TestThing > test_wrong [1]',
      'skipped test_async [0]',
    ])
  })

  it('sees a mark over the whole file', () => {
    expect(brief('test_a.py', 'pytestmark = pytest.mark.skip\ndef test_a():\n    assert x\n')).toEqual(['skipped test_a [1]'])
  })
})

describe('tests of other languages', () => {
  const cases: [path: string, text: string, found: string[]][] = [
    [
      'a_test.go',
      'func TestAdd(t *testing.T) {\n\tif add(1) != 2 {\n\t\tt.Errorf("no {")\n\t}\n}\nfunc TestOff(t *testing.T) { t.Skip("x") }\n',
      ['TestAdd [1]', 'skipped TestOff [0]'],
    ],
    [
      'src/lib.rs',
      '#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() { assert_eq!(add(1), 2); }\n    #[test]\n    #[ignore = "slow"]\n    fn slow() { assert!(true); }\n    fn helper() {}\n}\n',
      ['adds [1]', 'skipped slow [1]'],
    ],
    [
      'a_test.cpp',
      'TEST(Sum, Adds) {\n  EXPECT_EQ(add(1, 2), 3) << "why";\n  ASSERT_TRUE(x);\n}\nTEST_F(Sum, DISABLED_Slow) { EXPECT_EQ(1, f()); }\nTEST_CASE("a name, here") { REQUIRE(f()); }\n',
      ['Sum > Adds [2]', 'skipped Sum > Slow [1]', 'a name > here [1]'],
    ],
    [
      'FooTest.java',
      'class FooTest {\n  @Test\n  public void adds() { assertEquals(3, add(1, 2)); }\n  @Test @Disabled("x")\n  void later() { assertTrue(f()); }\n  void helper() {}\n}\n',
      ['adds [1]', 'skipped later [1]'],
    ],
    [
      'a_spec.rb',
      "describe 'sum' do\n  it 'adds' do\n    expect(add(1)).to eq 2\n  end\n  xit 'later' do\n    expect(1).to eq 2\n  end\nend\n",
      ['sum > adds [1]', 'skipped sum > later [1]'],
    ],
    [
      'a_test.exs',
      'defmodule ATest do\n  test "adds" do\n    assert add(1) == 2\n  end\n  @tag :skip\n  test "later" do\n    assert false\n  end\nend\n',
      ['adds [1]', 'skipped later [1]'],
    ],
  ]
  it.each(cases)('finds those of %s', (path, text, found) => {
    expect(brief(path, text)).toEqual(found)
  })

  it('says null for a language that is not read', () => {
    expect(outlineTests('tests/run.sh', 'exit 1')).toBeNull()
  })
})

describe('assertions', () => {
  it.each([
    'expect(true).toBe(true)',
    'expect(1).toBeTruthy()',
    'assert.equal(1, 1)',
    'assert(true)',
    'assert.ok(true)',
    'assert True',
    'assert 1 == 1',
    'self.assertTrue(True)',
    'EXPECT_TRUE(true)',
    'assert!(true)',
    'assert_eq!(1, 1)',
    'assertTrue(true)',
    't.is(1, 1)',
  ])('knows that %s cannot fail', (text) => expect(isVacuous(text)).toBe(true))

  it.each([
    'expect(add(1)).toBe(2)',
    'assert x',
    'assert.equal(a, 1)',
    'self.assertTrue(x)',
    'EXPECT_EQ(add(1), 2)',
    'assert_eq!(add(1), 2)',
    't.Errorf("x")',
  ])('knows that %s can fail', (text) => expect(isVacuous(text)).toBe(false))

  it.each(['expect(x).toBeDefined()', 'assert result is not None', 'assert(x)', 'self.assertIsNotNone(x)'])('calls %s weak', (text) =>
    expect(isWeak(text)).toBe(true),
  )
  it.each(['expect(x).toBe(1)', 'assert x == 1', 'assert.equal(x, 1)'])('does not call %s weak', (text) => expect(isWeak(text)).toBe(false))

  it('reads what is expected, whatever things are called', () => {
    expect(literalsIn('expect(add(1, "a")).toEqual([2.5, null, true])')).toEqual(['1', "'a'", '2.5', 'null', 'true'])
    expect(literalsIn('expect(newName(1, "a")).toEqual([2.5, null, true])')).toEqual(
      literalsIn("expect(add(1, 'a')).toEqual([2.5, null, true])"),
    )
  })
})

describe('an early return in a block', () => {
  const assertions = (path: string, text: string) => outlineTests(path, text)?.[0]?.assertions.length

  it.each([
    ['a_test.go', 'func TestA(t *testing.T) {\n\treturn\n\tif got := add(1, 2); got != 3 { t.Errorf("no") }\n}\n'],
    ['tests/a.rs', '#[test]\nfn adds() { let a = 1; return; assert_eq!(add(1, 2), 3); }\n'],
    ['a_test.cpp', 'TEST(Add, Adds) {\n  return;\n  EXPECT_EQ(add(1, 2), 3);\n}\n'],
  ])('leaves nothing that could fail: %s', (path, text) => {
    expect(assertions(path, text)).toBe(0)
    expect(assertions(path, text.replace(/return;?/, '')), 'without it').toBeGreaterThan(0)
  })

  it('that something guards leaves the rest', () => {
    expect(assertions('tests/a.rs', '#[test]\nfn adds() { if slow() { return; } assert_eq!(add(1, 2), 3); }\n')).toBe(1)
    expect(assertions('a_test.cpp', 'TEST(Add, Adds) {\n  if (slow()) return;\n  EXPECT_EQ(add(1, 2), 3);\n}\n')).toBe(1)
  })
})
