import { describe, expect, it } from 'vitest'
import { outputCap } from './output-cap.ts'

describe('a capped output', () => {
  it('keeps all of a short one', () => {
    const cap = outputCap(10)
    cap.add(Buffer.from('hello'))
    cap.add(Buffer.from('world'))
    expect(cap.text()).toBe('helloworld')
    expect(cap.dropped()).toBe(0)
  })

  it('keeps head and tail of a long one and says how much is missing between them', () => {
    const cap = outputCap(8)
    for (const text of ['abcdef', 'ghi', 'jklmnopqrstuvwxyz']) cap.add(Buffer.from(text))
    expect(cap.text()).toBe('abcd\n[... 18 bytes left out ...]\nwxyz')
    expect(cap.dropped()).toBe(18)
    expect(cap.seen()).toBe(26)
  })

  it('gives the same whatever the pieces it comes in', () => {
    const bytes = Buffer.from(Array.from({ length: 500 }, (_, at) => 33 + (at % 90)))
    const whole = outputCap(101)
    whole.add(bytes)
    for (const size of [1, 7, 50, 51, 99, 200]) {
      const pieces = outputCap(101)
      for (let at = 0; at < bytes.length; at += size) pieces.add(bytes.subarray(at, at + size))
      expect(pieces.text(), `pieces of ${size}`).toBe(whole.text())
    }
  })

  it('does not leave half a character at the cut', () => {
    const cap = outputCap(9)
    cap.add(Buffer.from('äöüäöüäöüäöü'))
    expect(cap.text()).toBe('äö\n[... 15 bytes left out ...]\nöü')
  })

  it('survives bytes that are no UTF-8', () => {
    const cap = outputCap(100)
    cap.add(Uint8Array.from([0x61, 0xff, 0xfe, 0x62]))
    expect(cap.text()).toBe('a\uFFFD\uFFFDb')
  })
})
