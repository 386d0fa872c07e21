import { fitsGlob } from './glob.ts'
import type { ToolContext } from './tool.ts'

type Writer = Pick<ToolContext, 'role' | 'permissions' | 'isTestFile' | 'protectedPaths'>

/** reeve's own files and git's: no role may ever write them, whatever its permissions say. Compared in lower case. */
const OWN = ['reeve.toml', 'reeve.*.toml', '.reeve', '.worktreeinclude']
const GIT = ['.gitmodules', '.gitattributes', '.gitconfig']

/** Why this role may not write that file, as a sentence for the model; null when it may. The path is one that passed the path rules. */
export function writeRefusal(path: string, writer: Writer): string | null {
  const { permissions, role } = writer
  const lower = path.toLowerCase()
  const parts = lower.split('/')
  if (parts.includes('.git')) return `"${path}" is git's own; nobody may change it.`
  if (GIT.includes(parts.at(-1) ?? '')) return `"${path}" configures git; nobody may change it in a run.`
  if (OWN.some((it) => fitsGlob(lower, `/${it}`))) return `"${path}" configures reeve; nobody may change it in a run.`

  const fixed = writer.protectedPaths.find((it) => fitsGlob(path, it))
  if (fixed !== undefined) return `"${path}" is protected in this run (${fixed}). ${allowedText(writer)}`
  const denied = permissions.deny.find((it) => fitsGlob(path, it))
  if (denied !== undefined) return `The role "${role}" may not write "${path}" (deny: ${denied}). ${allowedText(writer)}`

  if (permissions.write === 'all') return null
  if (permissions.write === 'none') return `The role "${role}" may not write any file. ${allowedText(writer)}`
  const isTest = writer.isTestFile(path)
  if (permissions.write === 'tests' && !isTest) return `"${path}" is not a test file. ${allowedText(writer)}`
  if (permissions.write === 'production' && isTest) return `"${path}" is a test file. ${allowedText(writer)}`
  return null
}

/** One sentence of what a role may write. */
export function allowedText({ role, permissions }: Pick<Writer, 'role' | 'permissions'>): string {
  if (permissions.write === 'none') return `The role "${role}" only reads; put what you want to say into your answer.`
  if (permissions.write === 'tests') return `The role "${role}" may write test files only.`
  if (permissions.write === 'production') return `The role "${role}" may write any file that is not a test; tests belong to another role.`
  return `The role "${role}" may write any other file.`
}
