import { describe, expect, it } from 'vitest'
import table from './prices.json' with { type: 'json' }
import { costAtMost, costOf, isFree, outputTokensFor, priceOf } from './prices.ts'

const input = (model: string, kind: Parameters<typeof priceOf>[1]['kind']) => priceOf(model, { kind })?.input ?? null

describe('the table of prices', () => {
  it('says where it is from, and when that was looked at', () => {
    expect(table.checked).toMatch(/^20\d\d-\d\d-\d\d$/)
    expect(Object.keys(table.sources)).toEqual([...new Set(table.models.map((it) => it.maker))])
    for (const source of Object.values(table.sources)) expect(new URL(source).protocol).toBe('https:')
  })

  it('has each model once, under a name without date or maker', () => {
    const names = table.models.map((it) => it.model)
    expect(names.length).toBe(new Set(names).size)
    for (const name of names) expect(name).toMatch(/^[a-z0-9.-]+$/)
    for (const { maker, model } of table.models) expect(priceOf(model, { kind: maker as 'openai' }), model).not.toBeNull()
  })

  it.each(table.models)('is sane for $model', (it) => {
    for (const rates of [it, ...(it.long ? [it.long] : [])]) {
      expect(rates.input).toBeGreaterThan(0)
      expect(rates.input).toBeLessThan(100)
      expect(rates.output).toBeGreaterThan(rates.input)
      expect(rates.output).toBeLessThanOrEqual(rates.input * 10)
      expect(rates.cached).toBeGreaterThan(0)
      expect(rates.cached).toBeLessThanOrEqual(rates.input)
      if (rates.write !== undefined) expect(rates.write).toBeCloseTo(rates.input * 1.25, 9)
    }
    if (!it.long) return
    expect(it.long.above).toBeGreaterThanOrEqual(100_000)
    expect(it.long.input).toBeGreaterThan(it.input)
    expect(it.long.output).toBeGreaterThan(it.output)
  })
})

describe('a price', () => {
  it('is known for a model and its dated names, and never guessed for others', () => {
    expect(input('gpt-4.1', 'openai')).toBe(2)
    expect(input('gpt-4.1-2025-04-14', 'openai')).toBe(2)
    expect(input('gpt-4.1-mini', 'codex')).toBe(0.4)
    expect(input('claude-opus-4-1-20250805', 'anthropic')).toBe(15)
    expect(input('claude-sonnet-4-0', 'claude')).toBe(3)
    expect(input('gemini-3-pro-preview', 'gemini')).toBe(2)
    expect(input('gpt-4.1-turbo', 'openai')).toBeNull()
    expect(input('gpt-4.1', 'openai-compatible')).toBeNull()
    expect(input('gpt-4.1', 'anthropic'), 'a gateway that speaks another dialect').toBeNull()
  })

  it('of an agent for many makers follows from the name, where it goes to the maker', () => {
    expect(input('anthropic/claude-sonnet-4-5', 'opencode')).toBe(3)
    expect(input('claude-sonnet-4-5', 'opencode')).toBeNull()
    expect(priceOf('anthropic/claude-sonnet-4-5', { kind: 'opencode', base_url: 'https://gateway.example/v1' })).toBeNull()
  })

  it('comes from the settings first: from the provider, then by model', () => {
    const prices = { 'gpt-4.1': { input: 7, output: 8 }, local: { input: 1, output: 2, cached_input: 0.1, cache_write: 3 } }
    expect(priceOf('gpt-4.1', { kind: 'openai', price: { input: 5, output: 6 } }, prices)).toEqual({ input: 5, output: 6, cached: 5 })
    expect(priceOf('gpt-4.1-2025-04-14', { kind: 'openai' }, prices)).toEqual({ input: 7, output: 8, cached: 7 })
    expect(priceOf('local', { kind: 'openai-compatible' }, prices)).toEqual({ input: 1, output: 2, cached: 0.1, write: 3 })
    expect(priceOf('local', { kind: 'opencode' }, prices)?.write).toBe(3)
  })

  it('is nothing for what runs on one’s own machine', () => {
    expect(costOf(null, priceOf('any', { kind: 'llamacpp' }))).toBe(0)
    expect(costOf({ input: 9, output: 9, cached: 0 }, priceOf('qwen3', { kind: 'ollama' }))).toBe(0)
    expect(priceOf('gpt-oss:120b-cloud', { kind: 'ollama' })).toBeNull()
  })
})

describe('a provider', () => {
  const free = (settings: Parameters<typeof isFree>[0]) => isFree({ model: 'm', ...settings })
  it('is free where it runs here, or nobody has said what a server here costs', () => {
    expect(free({ kind: 'scripted' })).toBe(true)
    expect(free({ kind: 'scripted', price: { input: 1, output: 1 } })).toBe(false)
    expect(free({ kind: 'openai-compatible', base_url: 'http://127.0.0.1:8080/v1' })).toBe(true)
    expect(free({ kind: 'openai-compatible', base_url: 'http://localhost:1234/v1' })).toBe(true)
    expect(free({ kind: 'openai-compatible', base_url: 'http://[::1]:1234/v1' })).toBe(true)
    expect(free({ kind: 'openai-compatible', base_url: 'http://localhost:4000/v1', price: { input: 1, output: 1 } })).toBe(false)
    expect(free({ kind: 'openai-compatible', base_url: 'http://127.0.0.1.example/v1' })).toBe(false)
    expect(free({ kind: 'openai-compatible', base_url: 'https://gateway.example/v1', price: { input: 0, output: 0 } })).toBe(true)
    expect(free({ kind: 'anthropic', model: 'some-model' })).toBe(false)
    expect(free({ kind: 'claude', model: 'qwen', base_url: 'http://127.0.0.1:8080' }), 'a model of ones own').toBe(true)
    expect(isFree({ kind: 'claude', base_url: 'http://127.0.0.1:4000' }), 'whatever it takes of its maker').toBe(false)
  })
})

describe('the cost of a call', () => {
  const price = { input: 10, output: 50, cached: 1 }
  it('counts cached tokens at their own price', () => {
    const tokens = { input: 1_000_000, output: 100_000, cached: 400_000 }
    expect(costOf(tokens, price)).toBeCloseTo(6 + 0.4 + 5, 9)
    expect(costOf({ ...tokens, written: 200_000 }, price)).toBeCloseTo(4 + 2.5 + 0.4 + 5, 9)
    expect(costOf({ ...tokens, written: 200_000 }, { ...price, write: 20 })).toBeCloseTo(4 + 4 + 0.4 + 5, 9)
    expect(costOf(null, price)).toBeNull()
    expect(costOf(tokens, null)).toBeNull()
  })

  it('is that of long calls where the maker asks more for them', () => {
    const long = { above: 100, input: 20, output: 100, cached: 2 }
    expect(costOf({ input: 100, output: 1, cached: 0 }, { ...price, long })).toBeCloseTo(1050 / 1e6, 12)
    expect(costOf({ input: 101, output: 1, cached: 0 }, { ...price, long })).toBeCloseTo((101 * 20 + 100) / 1e6, 12)
  })

  it('is never more than what the bound says, for an answer of the length that the money allows', () => {
    for (const usd of [0.001, 0.3 - 0.1, 0.5]) {
      const most = outputTokensFor(usd, price, 50)
      expect(costAtMost(price, 50, most)).toBeLessThanOrEqual(usd + 1e-9)
      expect(costAtMost(price, 50, most + 1)).toBeGreaterThan(usd)
      expect(costOf({ input: 50, output: most, cached: 0, written: 50 }, price)).toBeLessThanOrEqual(usd + 1e-9)
    }
    expect(outputTokensFor(0.0001, price, 50)).toBeLessThan(1)
  })
})
