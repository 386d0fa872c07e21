import type { CommandRun } from '../command-spec.ts'
import { answer } from '../io.ts'
import { oneLine, table } from '../text.ts'

export const roles: CommandRun = async (io) => {
  const found = await (await io.client()).call('roles.list', {})
  const rows = found.roles.map((it) => [it.name, it.permissions.write, it.permissions.run_commands ? 'yes' : 'no', oneLine(it.description)])
  answer(io, found.roles, () => {
    const [head = '', ...body] = table([['ROLE', 'WRITES', 'COMMANDS', 'WHAT IT IS FOR'], ...rows], io.columns(), 3)
    return [io.paint('dim', head), ...body]
  })
  return 0
}
