import { afterAll, describe, expect, it } from 'vitest'
import { grammarOf } from './languages.ts'
import { grammarLoader } from './symbols/grammars.ts'
import { namesIn, outlineOf } from './symbols/outline.ts'
import { fileSymbols, sharedReader, symbolReader } from './symbols.ts'

const reader = symbolReader()
afterAll(() => reader.close())

const load = grammarLoader()

/** `kind name line-endLine | signature` of each symbol, read in this thread. */
async function read(path: string, text: string): Promise<string[]> {
  const grammar = grammarOf(path, text)
  if (grammar === undefined) throw new Error(`no grammar reads ${path}`)
  const { symbols } = outlineOf(text, await load(grammar))
  return symbols.map((it) => `${it.kind} ${it.name} ${it.line}-${it.endLine} | ${it.signature}`)
}

describe('symbols of', () => {
  it('TypeScript: classes, methods, interfaces, types, enums, functions in constants, namespaces', async () => {
    const text = `import { x } from './x.ts'
export const LIMIT = 3
export abstract class Store<T> extends Base {
  @logged()
  async load(
    id: string,
    force = false,
  ): Promise<T> {
    return fetch(id)
  }
  abstract close(): void
  private handler = () => 1
}
export interface Port { open(): void }
type Id = string
export enum Color { Red }
export const shout = (text: string): string => text.toUpperCase()
export function* each() {}
namespace Deep {
  export function inner() {}
}
`
    expect(await read('src/store.ts', text)).toEqual([
      'constant LIMIT 2-2 | export const LIMIT = 3',
      'class Store 3-13 | export abstract class Store<T> extends Base',
      'method load 5-10 | async load(id: string, force = false): Promise<T>',
      'method close 11-11 | abstract close(): void',
      'method handler 12-12 | private handler = ()',
      'interface Port 14-14 | export interface Port',
      'method open 14-14 | open(): void',
      'type Id 15-15 | type Id = string',
      'enum Color 16-16 | export enum Color',
      'function shout 17-17 | export const shout = (text: string): string',
      'function each 18-18 | export function* each()',
      'module Deep 19-21 | namespace Deep',
      'function inner 20-20 | export function inner()',
    ])
  })

  it('TSX: components', async () => {
    const text = 'export function Card({ title }: Props) {\n  return <div>{title}</div>\n}\nexport const Row = () => <li />\n'
    expect(await read('card.tsx', text)).toEqual([
      'function Card 1-3 | export function Card({ title }: Props)',
      'function Row 4-4 | export const Row = ()',
    ])
  })

  it('JavaScript: CommonJS and prototypes too', async () => {
    const text =
      'class A {\n  #secret() {}\n  static of() {}\n}\nmodule.exports = { parse: function (text) {} }\nexports.print = () => 1\nA.prototype.run = function () {}\n'
    expect(await read('a.cjs', text)).toEqual([
      'class A 1-4 | class A',
      'method #secret 2-2 | #secret()',
      'method of 3-3 | static of()',
      'function parse 5-5 | parse: function (text)',
      'function print 6-6 | exports.print = ()',
      'function run 7-7 | A.prototype.run = function ()',
    ])
  })

  it('Python: decorated, async, nested, signatures over several lines', async () => {
    const text = `LIMIT: int = 3
@dataclass
class Cart(Base):
    size = 0

    @property
    async def total(
        self,
        tax: float = 0.2,
    ) -> float:
        def inner():
            pass
        return 1


def größe(x): # doubled: twice
    return x
`
    expect(await read('shop/cart.py', text)).toEqual([
      'constant LIMIT 1-1 | LIMIT: int = 3',
      'class Cart 3-13 | class Cart(Base):',
      'method total 7-13 | async def total(self, tax: float = 0.2) -> float:',
      'function inner 11-12 | def inner():',
      'function größe 16-17 | def größe(x):',
    ])
  })

  it('C: functions, prototypes, structs, typedefs, enums, macros, function pointers', async () => {
    const text = `#define MAX(a, b) ((a) > (b) ? (a) : (b))
struct stack { int size; };
typedef struct { int x; } point;
typedef int (*handler)(int);
enum color { RED };
int push(struct stack *s, int value);
static char *
name_of(int id)
{
  int local(int);
  return 0;
}
const int limit = 3;
`
    expect(await read('stack.c', text)).toEqual([
      'macro MAX 1-1 | #define MAX(a, b) ((a) > (b) ? (a) : (b))',
      'struct stack 2-2 | struct stack',
      'type point 3-3 | typedef struct { int x; } point;',
      'type handler 4-4 | typedef int (*handler)(int);',
      'enum color 5-5 | enum color',
      'function push 6-6 | int push(struct stack *s, int value);',
      'function name_of 7-12 | static char * name_of(int id)',
      'constant limit 13-13 | const int limit = 3;',
    ])
  })

  it('C++: namespaces, templates, members in and out of the class, operators, googletest', async () => {
    const text = `namespace shop::core {
template <typename T>
class Stack : public Base<T> {
 public:
  Stack();
  ~Stack();
  int size() const { return n_; }
  bool operator==(const Stack& other) const;
};
enum class Color { Red };
using Id = int;
}
int shop::core::Stack<int>::total(int a) const {
  return a;
}
TEST(StackTest, Pushes) {
  EXPECT_EQ(1, 1);
}
`
    expect(await read('stack.cpp', text)).toEqual([
      'module shop::core 1-12 | namespace shop::core',
      'class Stack 3-9 | class Stack : public Base<T>',
      'method Stack 5-5 | Stack();',
      'method ~Stack 6-6 | ~Stack();',
      'method size 7-7 | int size() const',
      'method operator== 8-8 | bool operator==(const Stack& other) const;',
      'enum Color 10-10 | enum class Color',
      'type Id 11-11 | using Id = int;',
      'method total 13-15 | int shop::core::Stack<int>::total(int a) const',
      'function StackTest.Pushes 16-18 | TEST(StackTest, Pushes)',
    ])
  })

  it('C++ in a .h file, when its text is C++', async () => {
    expect(await read('a.h', 'namespace a {\nclass B {\n  void c();\n};\n}\n')).toEqual([
      'module a 1-5 | namespace a',
      'class B 2-4 | class B',
      'method c 3-3 | void c();',
    ])
  })

  it('Go: functions, methods, structs, interfaces, types', async () => {
    const text =
      'package shop\n\nconst Limit = 3\n\ntype Cart struct {\n\tsize int\n}\n\ntype Store interface {\n\tLoad(id int) error\n}\n\ntype ID int\n\nfunc New() *Cart {\n\treturn nil\n}\n\nfunc (c *Cart) Total(tax float64) float64 { return 1 }\n'
    expect(await read('cart.go', text)).toEqual([
      'constant Limit 3-3 | const Limit = 3',
      'struct Cart 5-7 | type Cart struct',
      'interface Store 9-11 | type Store interface',
      'method Load 10-10 | Load(id int) error',
      'type ID 13-13 | type ID int',
      'function New 15-17 | func New() *Cart',
      'method Total 19-19 | func (c *Cart) Total(tax float64) float64',
    ])
  })

  it('Rust: structs, enums, traits, impls, modules, macros', async () => {
    const text =
      'pub const LIMIT: u8 = 3;\n#[derive(Debug)]\npub struct Cart { size: u8 }\npub enum Color { Red }\npub trait Store {\n    fn load(&self);\n}\nimpl Store for Cart {\n    fn load(&self) {}\n}\nmod deep {\n    pub fn inner() {}\n}\nmacro_rules! cart { () => {} }\n'
    expect(await read('src/cart.rs', text)).toEqual([
      'constant LIMIT 1-1 | pub const LIMIT: u8 = 3;',
      'struct Cart 3-3 | pub struct Cart',
      'enum Color 4-4 | pub enum Color',
      'trait Store 5-7 | pub trait Store',
      'method load 6-6 | fn load(&self);',
      'method load 9-9 | fn load(&self)',
      'module deep 11-13 | mod deep',
      'function inner 12-12 | pub fn inner()',
      'macro cart 14-14 | macro_rules! cart { () => {} }',
    ])
  })

  it('Java: classes, constructors, annotated methods, interfaces, enums, records, constants', async () => {
    const text =
      'package shop;\n\npublic class Cart extends Base {\n  static final int LIMIT = 3;\n  int size;\n\n  public Cart(int size) {}\n\n  @Override\n  public int total() {\n    return 1;\n  }\n}\n\ninterface Store { void load(); }\nenum Color { RED }\nrecord Point(int x) {}\n'
    expect(await read('Cart.java', text)).toEqual([
      'class Cart 3-13 | public class Cart extends Base',
      'constant LIMIT 4-4 | static final int LIMIT = 3;',
      'method Cart 7-7 | public Cart(int size)',
      'method total 9-12 | public int total()',
      'interface Store 15-15 | interface Store',
      'method load 15-15 | void load();',
      'enum Color 16-16 | enum Color',
      'class Point 17-17 | record Point(int x)',
    ])
  })

  it('Ruby: modules, classes, methods, constants', async () => {
    const text =
      'module Shop\n  LIMIT = 3\n  class Cart < Base\n    def total(tax = 1)\n      1\n    end\n    def self.of; end\n    def empty?; end\n  end\nend\ndef helper; end\n'
    expect(await read('cart.rb', text)).toEqual([
      'module Shop 1-10 | module Shop',
      'constant LIMIT 2-2 | LIMIT = 3',
      'class Cart 3-9 | class Cart < Base',
      'method total 4-6 | def total(tax = 1)',
      'method of 7-7 | def self.of; end',
      'method empty? 8-8 | def empty?; end',
      'function helper 11-11 | def helper; end',
    ])
  })

  it('Elixir: modules, protocols, functions by clause only once, macros, guards', async () => {
    const text = `defmodule Shop.Cart do
  def total([]), do: 0
  def total([h | t]) when is_list(t) do
    h
  end
  defp helper, do: 1
  defmacro twice(x) do
    x
  end
  defguard is_small(x) when x < 3
end
defprotocol Size do
  def size(x)
end
defimpl Size, for: Shop.Cart do
  def size(_), do: 0
end
`
    expect(await read('cart.ex', text)).toEqual([
      'module Shop.Cart 1-11 | defmodule Shop.Cart',
      'function total 2-2 | def total([]), do: 0',
      'function helper 6-6 | defp helper, do: 1',
      'macro twice 7-9 | defmacro twice(x)',
      'macro is_small 10-10 | defguard is_small(x) when x < 3',
      'module Size 12-14 | defprotocol Size',
      'function size 13-13 | def size(x)',
      'module Size 15-17 | defimpl Size, for: Shop.Cart',
      'function size 16-16 | def size(_), do: 0',
    ])
  })

  it('a broken file: what can be read', async () => {
    expect(await read('a.ts', 'export function good() {}\nexport function bad( {\n')).toContain(
      'function good 1-1 | export function good()',
    )
  })

  it('an empty file, and one with Windows line ends', async () => {
    expect(await read('a.py', '')).toEqual([])
    expect(await read('a.py', 'def f(\r\n  a,\r\n):\r\n  pass\r\n')).toEqual(['function f 1-4 | def f(a):'])
  })
})

describe('the reader', () => {
  it('gives the symbols of a file from its thread, with the path', async () => {
    expect(await fileSymbols('src/a.py', 'def f(x):\n    pass\n', reader)).toEqual([
      { name: 'f', kind: 'function', file: 'src/a.py', line: 1, endLine: 2, signature: 'def f(x):' },
    ])
    const elixir = await fileSymbols('lib/a.ex', 'defmodule A do\nend\n', reader)
    expect(elixir.map((it) => it.name)).toEqual(['A'])
  })

  it('has no symbols of a language without a grammar', async () => {
    expect(await fileSymbols('a.kt', 'fun main() {}', reader)).toEqual([])
  })

  it('is one for the whole process when none is given', async () => {
    expect(sharedReader()).toBe(sharedReader())
    expect(await fileSymbols('a.go', 'package a\nfunc F() {}\n')).toHaveLength(1)
    await sharedReader().close()
  })

  it('parses the same text once', async () => {
    let calls = 0
    const thread = {
      ...reader.thread,
      outline: async () => ({ symbols: [], imports: [], names: [['n', (calls += 1)] as [string, number]] }),
    }
    const counting = symbolReader(thread)
    const first = await counting.outline('a.ts', 'const a = 1')
    const second = await counting.outline('b.ts', 'const a = 1')
    expect(second).toBe(first)
    await counting.outline('a.ts', 'const a = 2')
    expect(calls).toBe(2)
  })

  it('says what went wrong instead of throwing', async () => {
    const thread = { ...reader.thread, outline: () => Promise.reject(new Error('parsing took longer than 2 s')) }
    expect(await symbolReader(thread).outline('a.ts', 'x')).toEqual({ problem: 'parsing took longer than 2 s' })
    expect(await fileSymbols('a.ts', 'x', symbolReader(thread))).toEqual([])
  })
})

describe('the names of a file', () => {
  it('are counted, short ones left out, letters of any script', () => {
    expect(namesIn('größe = größe + ab; $total')).toEqual([
      ['größe', 2],
      ['$total', 1],
    ])
  })

  it('come with the outline', async () => {
    const outline = outlineOf('function go() { go(); stop() }', await load('javascript'))
    expect(Object.fromEntries(outline.names)).toEqual({ function: 1, stop: 1 })
  })
})
