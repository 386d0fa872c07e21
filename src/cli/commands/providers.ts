import type { CommandRun } from '../command-spec.ts'
import { count, duration, money } from '../figures.ts'
import { answer, type Io } from '../io.ts'
import { oneLine, table } from '../text.ts'

export const providers: CommandRun = async (io) => {
  const { providers: found } = await (await io.client()).call('providers.list', {})
  answer(io, found, () => {
    if (found.length === 0) return ['No provider is configured. How: docs/guides/providers.md', 'An example: reeve init']
    const rows = found.map((it) => [it.name, it.kind, it.model ?? '', ACCESS[it.access], state(io, it), oneLine(it.detail)])
    const [head = '', ...body] = table([['PROVIDER', 'KIND', 'MODEL', 'BY', 'STATE', ''], ...rows], io.columns(), 5)
    const whole = found.flatMap((it, at) => whyNot(it, body[at] ?? ''))
    return [io.paint('dim', head), ...body, ...(whole.length > 0 ? ['', ...whole] : [])]
  })
  return 0
}

const ACCESS = { key: 'key', login: 'log-in', none: '', missing: '' } as const

/** What its line had no room for, and what to do. */
function whyNot({ name, usable, detail, hint, breaker }: Listed, line: string): string[] {
  if (!usable) {
    const cut = line.endsWith('…') ? [`${detail.replace(/\.$/, '')}.`] : []
    const told = [...cut, ...(hint === null ? [] : [hint])]
    return told.length === 0 ? [] : [oneLine(`${name}: ${told.join(' ')}`)]
  }
  return breaker.problem === null ? [] : [oneLine(`${name}: ${breaker.problem}`)]
}

type Listed = Found & { name: string; detail: string; hint: string | null }
type Found = { usable: boolean; breaker: { state: string; until: number | null; problem: string | null } }

/** What keeps runs from it, if anything does. */
function state(io: Io, { usable, breaker }: Found): string {
  if (!usable) return io.paint('red', 'unusable')
  if (breaker.state === 'closed') return io.paint('green', 'ready')
  const left = breaker.until === null ? '' : ` ${duration(Math.max(0, breaker.until - Date.now()))}`
  return io.paint('yellow', breaker.state === 'open' ? `left alone${left}` : 'on trial')
}

export const providersTest: CommandRun = async (io, args, options) => {
  const offline = options['offline'] === true
  const trust = options['trust'] === true
  const tried = await (await io.client()).call('providers.test', { provider: args[0] ?? '', offline, ...(trust ? { trust } : {}) })
  answer(io, tried, () => {
    const mark = (ok: boolean) => (ok ? io.paint('green', 'ok  ') : io.paint('red', 'fail'))
    const tokens = `${count(tried.usage.inputTokens)} in, ${count(tried.usage.outputTokens)} out`
    const where = offline ? 'a scripted server of this machine' : 'the real thing'
    return [
      oneLine(
        `${tried.provider} (${tried.model}) against ${where}: ${duration(tried.seconds * 1000)}, ${tokens}, ${offline ? 'nothing paid' : money(tried.cost)}`,
      ),
      ...tried.checks.map((it) => oneLine(`${mark(it.ok)} ${it.name}${it.detail === '' ? '' : `: ${it.detail}`}`)),
      ...(tried.problem === '' ? [] : [oneLine(`${tried.class ?? 'failed'}: ${tried.problem}`)]),
    ]
  })
  return tried.ok ? 0 : 1
}

export const providersReset: CommandRun = async (io, args) => {
  const { provider } = await (await io.client()).call('providers.reset', { provider: args[0] ?? '' })
  answer(io, { provider }, () => [`The next run asks "${provider}" again.`])
  return 0
}
