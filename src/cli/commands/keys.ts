import type { CommandRun } from '../command-spec.ts'
import { ago } from '../figures.ts'
import { answer, remark } from '../io.ts'
import { oneLine, table } from '../text.ts'

export const keysAdd: CommandRun = async (io, [name = ''], options) => {
  const also = (options['also'] as string[] | undefined) ?? []
  const made = await (await io.client()).call('keys.add', {
    name,
    ...(options['role'] === undefined ? {} : { role: options['role'] as 'viewer' }),
    projects: also.length === 0 ? [] : ['.', ...also.map((it) => io.resolve(it))],
    all_projects: options['allProjects'] === true,
    ...(options['expires'] === undefined ? {} : { expires: options['expires'] as string }),
  })
  const { key, value } = made
  const scope = key.projects === null ? 'all projects' : key.projects.map(oneLine).join(', ')
  const until = key.expiresAt === null ? 'it never expires' : `until ${day(key.expiresAt)}`
  // The key alone goes to standard output: TOKEN=$(reeve keys add ci)
  answer(io, made, () => [value])
  if (io.json) return 0
  remark(io, oneLine(`${key.name} (${key.id}): ${key.role} of ${scope}, ${until}.`))
  remark(io, 'This is the only time that it is shown. The program sends it as: Authorization: Bearer <key>')
  return 0
}

export const keysList: CommandRun = async (io, _args, options) => {
  const { keys } = await (await io.client()).call('keys.list', { all: options['all'] === true })
  if (keys.length === 0 && !io.json) remark(io, 'There is no API key. Make one: reeve keys add <name>')
  answer(io, keys, () => {
    if (keys.length === 0) return []
    const rows = keys.map((it) => [
      it.id,
      it.name,
      it.role,
      it.state === 'live' ? (it.expiresAt === null ? 'never' : day(it.expiresAt)) : it.state,
      it.lastUsedAt === null ? 'never' : ago(it.lastUsedAt, io.now()),
      it.projects === null ? 'all' : oneLine(it.projects.join(', ')),
    ])
    const [head = '', ...body] = table([['ID', 'NAME', 'ROLE', 'EXPIRES', 'USED', 'PROJECTS'], ...rows], io.columns(), 5)
    return [io.paint('dim', head), ...body]
  })
  return 0
}

export const keysRevoke: CommandRun = async (io, [key = '']) => {
  const revoked = await (await io.client()).call('keys.revoke', { key })
  answer(io, revoked, () => [oneLine(`The key ${revoked.key.name} (${revoked.key.id}) is revoked: nobody gets in with it any more.`)])
  return 0
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
