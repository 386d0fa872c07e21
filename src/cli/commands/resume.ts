import type { CommandRun } from '../command-spec.ts'
import { remark, say } from '../io.ts'
import { acceptedOf } from './run.ts'
import { workOn } from './work.ts'

export const resume: CommandRun = async (io, args, options) => {
  const client = await io.client()
  const [run] = args
  const atWork = client.resident && run !== undefined ? await client.call('runs.get', { run }) : null
  // The daemon has gone on with it already, after a restart for instance: what is left is to look on.
  if (atWork?.status === 'running') return workOn(io, [{ id: atWork.id, title: atWork.task.title, workflow: atWork.workflow }])
  const { runs, skipped } = await client.call('runs.resume', { ...(run === undefined ? {} : { run }), ...acceptedOf(options) })
  for (const it of skipped) remark(io, io.paint('dim', `${it.run} stays: it is ${it.reason}`))
  if (runs.length > 0)
    return workOn(
      io,
      runs.map((it) => ({ id: it.id, title: it.task.title, workflow: it.workflow })),
    )
  if (!io.json) say(io, 'No run of this project can go on.')
  return 0
}
