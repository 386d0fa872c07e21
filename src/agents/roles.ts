import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { nearest, problemOf, ReeveError } from '../core/errors.ts'
import { permissionsSchema, type Role, roleSchema } from '../core/role.ts'

/** A role file read from the base commit: its path there, for messages, and its text. */
export interface RoleFile {
  path: string
  text: string
}

export interface RoleSources {
  /** Folder that holds `roles/*.yaml`: reeve's own. */
  templatesDir: string
  /** The project's `.reeve/roles/*.yaml` as they are at the base commit, never from a worktree. Absent: no project. */
  readProjectFiles?: () => Promise<readonly RoleFile[]>
}

/** All roles by name: reeve's own, then the project's, which may add and replace. Throws `invalid_role` with file and line. */
export async function loadRoles({ templatesDir, readProjectFiles }: RoleSources): Promise<Map<string, Role>> {
  const own = await filesIn(join(templatesDir, 'roles'))
  const project = readProjectFiles ? await readProjectFiles() : []
  const roles = new Map<string, Role>()
  const origin = new Map<string, string>()
  for (const { path, text } of own) {
    const role = parseRole(text, path)
    roles.set(role.name, role)
  }
  for (const { path, text } of project.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const role = parseRole(text, path)
    const other = origin.get(role.name)
    if (other !== undefined)
      throw new ReeveError('invalid_role', { where: path, problem: `the role "${role.name}" is already in ${other}` })
    origin.set(role.name, path)
    roles.set(role.name, role)
  }
  return roles
}

/** A role by name; throws `role_not_found`, which names the known ones. */
export function roleNamed(roles: ReadonlyMap<string, Role>, name: string): Role {
  const role = roles.get(name)
  if (role) return role
  throw new ReeveError('role_not_found', { role: name, known: [...roles.keys()].toSorted().join(', ') })
}

async function filesIn(folder: string): Promise<RoleFile[]> {
  try {
    const names = (await readdir(folder)).filter((it) => /\.ya?ml$/.test(it)).toSorted()
    return await Promise.all(names.map(async (it) => ({ path: join(folder, it), text: await readFile(join(folder, it), 'utf8') })))
  } catch (error) {
    throw new ReeveError('invalid_role', { where: folder, problem: `the built-in roles cannot be read: ${problemOf(error)}` })
  }
}

const KEYS = Object.keys(roleSchema.shape)
// A misspelt permission must not silently become the default one, so files are read strictly.
const fileSchema = z.strictObject({ ...roleSchema.shape, permissions: z.strictObject(permissionsSchema.shape).prefault({}) })

/** Reads one role. Throws `invalid_role` with file and line of the first mistake. */
export function parseRole(text: string, file: string): Role {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [broken] = [...document.errors, ...document.warnings]
  if (broken) {
    const problem = broken.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? ''
    throw new ReeveError('invalid_role', { where: `${file}:${lines.linePos(broken.pos[0]).line}`, problem })
  }
  const parsed = fileSchema.safeParse(plainValue(document, file))
  if (parsed.success) return parsed.data

  const [issue] = parsed.error.issues
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    const known = issue.path.length === 0 ? KEYS : Object.keys(permissionsSchema.shape)
    const guess = nearest(key, known)
    const place = [...issue.path.map(String), key]
    const problem = `unknown key "${place.join('.')}"${guess ? `; did you mean "${guess}"?` : `. Known keys: ${known.join(', ')}`}`
    throw new ReeveError('invalid_role', { where: `${file}:${lineOfKey(document, lines, place)}`, problem })
  }
  const path = (issue?.path ?? []).map(String)
  const problem = `${path.length > 0 ? `${path.join('.')}: ` : ''}${issue?.message ?? 'is not a role'}`
  throw new ReeveError('invalid_role', { where: `${file}:${lineOfKey(document, lines, path)}`, problem })
}

/** Throws on a bomb of aliases. */
function plainValue(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new ReeveError('invalid_role', { where: file, problem: problemOf(error) })
  }
}

/** The line of a value, or of the nearest thing around it that is there. */
function lineOfKey(document: ReturnType<typeof parseDocument>, lines: LineCounter, path: readonly string[]): number {
  for (let length = path.length; length > 0; length--) {
    const steps = path.slice(0, length).map((it) => (/^\d+$/.test(it) ? Number(it) : it))
    const node = document.getIn(steps, true)
    const range = (node as { range?: [number, number, number] } | undefined)?.range
    if (range) return lines.linePos(range[0]).line
  }
  return 1
}
