import type { DetectedCommand } from '../port.ts'
import { command } from './command.ts'
import { type ProjectFiles, under } from './project-files.ts'

const MAKEFILES = ['GNUmakefile', 'Makefile', 'makefile']
const JUSTFILES = ['justfile', 'Justfile', '.justfile']
const TARGETS: Readonly<Record<string, readonly string[]>> = {
  build: ['build', 'all'],
  tests: ['test', 'tests', 'check'],
  lint: ['lint'],
  types: ['typecheck', 'type-check', 'types', 'mypy'],
}
/** A first target of this kind is no build. */
const NO_BUILD = /^(?:test|tests|check|lint|help|default-help|clean|install|run|fmt|format|docs?|deploy|release|publish|venv|setup)$/

/** A rule of a Makefile: its name and the lines below it, without the leading tab. */
export interface Recipe {
  name: string
  lines: string[]
}

/** The explicit rules of a Makefile, in order. Pattern rules, variables and special targets are left out. */
export function recipesOf(text: string): Recipe[] {
  const found: Recipe[] = []
  let current: Recipe[] = []
  for (const line of text.replaceAll(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    if (line.startsWith('\t')) {
      for (const it of current) it.lines.push(line.slice(1).trim())
      continue
    }
    // Blanks are part of the names, so that there is one way to read them.
    const rule = /^([A-Za-z0-9_][A-Za-z0-9_./ \t-]*)::?(?![=:])[^;#]*(?:;(.*))?/.exec(line)
    if (!rule) {
      if (line.trim() !== '' && !line.startsWith('#')) current = []
      continue
    }
    const [, names = '', inline] = rule
    current = names
      .trim()
      .split(/\s+/)
      .map((name) => ({ name, lines: inline === undefined ? [] : [inline.trim()] }))
    found.push(...current)
  }
  return found
}

/** Names of the recipes of a justfile. */
export function justRecipes(text: string): string[] {
  return [...text.matchAll(/^@?([A-Za-z_][A-Za-z0-9_-]*)(?:\s[^:\n]*)?:(?!=)/gm)].map((it) => it[1] ?? '')
}

/** The single line of a rule, for those who can read it (`pytest -q tests`); undefined for longer ones and for lines with variables. */
export function onlyLine(recipes: readonly Recipe[], names: readonly string[]): { target: string; line: string } | undefined {
  const recipe = names.map((name) => recipes.find((it) => it.name === name)).find((it) => it !== undefined)
  const lines = recipe?.lines.filter((it) => it !== '' && !it.startsWith('#')) ?? []
  const [line] = lines
  return recipe && line !== undefined && lines.length === 1 ? { target: recipe.name, line: line.replace(/^[@-]+/, '') } : undefined
}

async function makefile(project: ProjectFiles, folder: string): Promise<DetectedCommand[]> {
  const file = MAKEFILES.map((it) => under(folder, it)).find((it) => project.has(it)) ?? ''
  const recipes = recipesOf(await project.text(file))
  const names = new Set(recipes.map((it) => it.name))
  const make = (gate: string, target: string | null, reason: string) =>
    command({
      gate,
      tool: 'make',
      argv: target === null ? ['make'] : ['make', target],
      cwd: folder,
      reason,
      typed: target === null ? 'make' : `make ${target}`,
      needs: { program: 'make', hint: 'Install make.' },
    })
  const found = Object.entries(TARGETS).flatMap(([gate, targets]) => {
    const target = targets.find((it) => names.has(it))
    return target === undefined ? [] : [make(gate, target, `target "${target}" in ${file}`)]
  })
  const [first] = recipes
  if (first && !found.some((it) => it.gate === 'build') && !NO_BUILD.test(first.name))
    found.unshift(make('build', null, `first target "${first.name}" in ${file}`))
  return found
}

async function justfile(project: ProjectFiles, folder: string): Promise<DetectedCommand[]> {
  const file = JUSTFILES.map((it) => under(folder, it)).find((it) => project.has(it)) ?? ''
  const names = new Set(justRecipes(await project.text(file)))
  return Object.entries(TARGETS).flatMap(([gate, targets]) => {
    const target = targets.find((it) => it !== 'all' && names.has(it))
    if (target === undefined) return []
    return [
      command({
        gate,
        tool: 'just',
        argv: ['just', target],
        cwd: folder,
        reason: `recipe "${target}" in ${file}`,
        typed: `just ${target}`,
        needs: { program: 'just', hint: 'Install just.' },
      }),
    ]
  })
}

/** A plain Makefile or justfile: targets named as everybody names them. */
export async function detectMake(project: ProjectFiles): Promise<DetectedCommand[]> {
  const makes = await Promise.all(project.nearest(MAKEFILES).map((folder) => makefile(project, folder)))
  const justs = await Promise.all(project.nearest(JUSTFILES).map((folder) => justfile(project, folder)))
  const found = makes.flat()
  return [...found, ...justs.flat().filter((it) => !found.some((other) => other.gate === it.gate))]
}

/** The rules of a folder's Makefile; [] without one. */
export async function recipesIn(project: ProjectFiles, folder: string): Promise<Recipe[]> {
  const file = MAKEFILES.map((it) => under(folder, it)).find((it) => project.has(it))
  return file === undefined ? [] : recipesOf(await project.text(file))
}
