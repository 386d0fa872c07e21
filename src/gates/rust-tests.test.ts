import { describe, expect, it } from 'vitest'
import { grafted } from './rust-tests.ts'

const production = (body: string): string => `pub fn add(a: i32) -> i32 {\n    ${body}\n}\n`
const tests = (body: string): string =>
  `#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn adds() {\n        ${body}\n    }\n}\n`

describe('tests of Rust that stand beside the code', () => {
  it('come to the base without the code of the change', () => {
    const before = `${production('a')}\n${tests('assert_eq!(add(1), 1);')}`
    const after = `${production('a + 1')}\n${tests('assert_eq!(add(1), 2);')}`
    expect(grafted(before, after)).toBe(`${production('a')}\n${tests('assert_eq!(add(1), 2);')}`)
  })

  it('come to a file that had none', () => {
    expect(grafted(production('a'), `${production('a + 1')}\n${tests('x')}`)).toBe(`${production('a')}\n${tests('x')}`)
  })
})
