import { delimiter, dirname, join } from 'node:path'
import type { DetectedCommand } from '../../scanner/port.ts'
import type { Checkout } from '../../workspace/port.ts'

const words = (line: string) => new Set(line.split(' '))
/** Lines that a person wrote may name anything that is installed in the project. */
const ANY = words('configured npm-script make just')
const JAVASCRIPT = words('vitest vitest-coverage jest jest-coverage mocha ava c8 node-test node-coverage bun-test eslint biome oxlint tsc')
const PYTHON = words('pytest unittest coverage.py ruff flake8 mypy pyright')

/** Where each kind of tool is installed inside a project; others are never looked for there, so that nothing in it can pose as a compiler. */
function placesOf(tool: string): string[] {
  const javascript = ANY.has(tool) || JAVASCRIPT.has(tool) ? ['node_modules/.bin'] : []
  const python = ANY.has(tool) || PYTHON.has(tool) ? ['.venv/bin', 'venv/bin'] : []
  return [...javascript, ...python]
}

/** The search path of a command: the project's own tools from its folder up to the root, as npm and `activate` do it, then the checkout's. */
export function searchPath(command: DetectedCommand, checkout: Checkout, folder: string): string {
  const own = placesOf(command.tool)
  const folders: string[] = []
  for (let at = folder; at === checkout.path || at.startsWith(`${checkout.path}/`); at = dirname(at))
    folders.push(...own.map((it) => join(at, it)))
  return [...folders, checkout.env['PATH'] ?? ''].join(delimiter)
}
