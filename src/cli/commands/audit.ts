import type { CommandRun } from '../command-spec.ts'
import { answer, remark } from '../io.ts'
import { oneLine, table } from '../text.ts'

export const auditList: CommandRun = async (io, _args, options) => {
  const { lines } = await (await io.client()).call('audit.list', {
    ...(options['since'] === undefined ? {} : { since: options['since'] as string }),
    ...(options['actor'] === undefined ? {} : { actor: options['actor'] as string }),
    ...(options['limit'] === undefined ? {} : { limit: options['limit'] as number }),
  })
  if (lines.length === 0 && !io.json) remark(io, 'Nothing like that is on record.')
  answer(io, lines, () => {
    if (lines.length === 0) return []
    const rows = lines.map((it) => [
      String(it.seq),
      new Date(it.ts).toISOString().slice(0, 19),
      ...[it.actor, it.action, it.result, it.via, it.target].map(oneLine),
    ])
    const [head = '', ...body] = table([['LINE', 'WHEN (UTC)', 'WHO', 'WHAT', 'RESULT', 'FROM', 'ON'], ...rows], io.columns(), 6)
    return [io.paint('dim', head), ...body]
  })
  return 0
}

export const auditVerify: CommandRun = async (io, _args, options) => {
  const input = options['head'] === undefined ? {} : { head: options['head'] as string }
  const found = await (await io.client()).call('audit.verify', input)
  answer(io, found, () => {
    const { broken, lines, head, compared } = found
    if (broken !== null) return [oneLine(`Line ${broken.line} ${broken.problem}. The ${lines} before it are as they were written.`)]
    if (head === null) return ['Nothing was written yet.']
    const against = compared === 0 ? '' : `, also against ${compared} earlier ${compared === 1 ? 'end' : 'ends'}`
    return [
      `All ${lines} lines are as they were written${against}.`,
      `Its end: ${head}`,
      'Keep that line elsewhere: with --head it shows whether the record was cut since.',
    ]
  })
  return found.ok ? 0 : 1
}
