import type { CommandRun } from '../command-spec.ts'
import { ago } from '../figures.ts'
import { answer, type Io, remark } from '../io.ts'
import { oneLine, table } from '../text.ts'

export const webhooksList: CommandRun = async (io) => {
  const { webhooks } = await (await io.client()).call('webhooks.list', {})
  if (webhooks.length === 0 && !io.json)
    remark(io, 'There is no webhook. Add one to your own configuration, config.toml: [webhooks.<name>]')
  answer(io, webhooks, () => [
    ...rows(
      io,
      ['NAME', 'URL', 'SIGNED', 'LAST', 'EVENTS'],
      webhooks.map((it) => [
        it.name,
        oneLine(it.url),
        it.signed ? 'yes' : 'no',
        it.last === null ? 'nothing yet' : `${it.last.status} ${ago(it.last.triedAt, io.now())}`,
        oneLine(it.events.join(', ')),
      ]),
    ),
    ...webhooks.flatMap((it) => it.problems.map((problem) => oneLine(`${it.name}: ${problem}.`))),
  ])
  return 0
}

export const webhooksDeliveries: CommandRun = async (io, [webhook], options) => {
  const input = {
    ...(webhook === undefined ? {} : { webhook }),
    ...(options['limit'] === undefined ? {} : { limit: options['limit'] as number }),
  }
  const { deliveries } = await (await io.client()).call('webhooks.deliveries', input)
  if (deliveries.length === 0 && !io.json) remark(io, 'Nothing was sent yet.')
  answer(io, deliveries, () =>
    rows(
      io,
      ['WEBHOOK', 'TRIED', 'STATUS', 'TRIES', 'EVENT', 'RUN', 'PROBLEM'],
      deliveries.map((it) => [
        it.webhook,
        ago(it.triedAt, io.now()),
        it.status,
        String(it.tries),
        it.type,
        it.run,
        oneLine(it.problem ?? ''),
      ]),
    ),
  )
  return 0
}

export const webhooksTest: CommandRun = async (io, [webhook = '']) => {
  const tried = await (await io.client()).call('webhooks.test', { webhook })
  answer(io, tried, () => [
    oneLine(
      tried.problem === null
        ? `${webhook} took the message ${tried.message} (${tried.answer}).`
        : `${webhook} did not take the message: ${tried.problem}.`,
    ),
  ])
  return tried.problem === null ? 0 : 1
}

function rows(io: Io, head: readonly string[], body: readonly (readonly string[])[]): string[] {
  if (body.length === 0) return []
  const [first = '', ...rest] = table([[...head], ...body.map((it) => [...it])], io.columns(), head.length - 1)
  return [io.paint('dim', first), ...rest]
}
