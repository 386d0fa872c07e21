import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { loadRoles, parseRole, roleNamed } from './roles.ts'

const templatesDir = join(import.meta.dirname, '../../templates')

describe('the built-in roles', () => {
  it('are these, with their permissions', async () => {
    const roles = await loadRoles({ templatesDir })
    const table = [...roles.values()].map((it) => [it.name, it.permissions.write, it.permissions.run_commands])
    expect(table).toEqual([
      ['architect', 'none', false],
      ['backend', 'production', true],
      ['data', 'production', true],
      ['frontend', 'production', true],
      ['implementer', 'production', true],
      ['ml', 'production', true],
      ['refiner', 'production', true],
      ['reviewer', 'none', false],
      ['spec-author', 'tests', true],
    ])
    for (const role of roles.values()) {
      expect(role.prompt, role.name).toContain('What becomes of it')
      expect(role.description.length, role.name).toBeGreaterThan(20)
    }
  })
})

describe("a project's own roles", () => {
  const poet = { path: '.reeve/roles/poet.yaml', text: 'name: poet\nprompt: Write verse.\npermissions: { write: none }\n' }

  it('are added, and replace built-in ones', async () => {
    const own = { path: '.reeve/roles/reviewer.yml', text: 'name: reviewer\nprompt: Be brief.\nproviders: [local]\n' }
    const roles = await loadRoles({ templatesDir, readProjectFiles: async () => [poet, own] })
    expect(roleNamed(roles, 'poet')).toMatchObject({
      prompt: 'Write verse.',
      permissions: { write: 'none', run_commands: false, deny: [], forbidden: [] },
    })
    expect(roleNamed(roles, 'reviewer')).toMatchObject({ prompt: 'Be brief.', providers: ['local'], max_steps: 60 })
  })

  it('may not define one role twice', async () => {
    const twice = loadRoles({ templatesDir, readProjectFiles: async () => [poet, { ...poet, path: '.reeve/roles/bard.yaml' }] })
    await expect(twice).rejects.toThrow('.reeve/roles/poet.yaml: the role "poet" is already in .reeve/roles/bard.yaml')
  })

  it('are named when one is missing', async () => {
    const roles = await loadRoles({ templatesDir, readProjectFiles: async () => [poet] })
    expect(() => roleNamed(roles, 'poets')).toThrow(
      'No role "poets". Known roles: architect, backend, data, frontend, implementer, ml, poet, refiner, reviewer, spec-author.',
    )
  })

  const mistakes: [text: string, problem: string][] = [
    ['name: a\nprompt: x\npermisions: {}\n', 'f.yaml:3: unknown key "permisions"; did you mean "permissions"?'],
    ['name: a\nprompt: x\npermissions:\n  writes: none\n', 'f.yaml:4: unknown key "permissions.writes"; did you mean "write"?'],
    ['name: a\nprompt: x\nlanguage: de\n', 'f.yaml:3: unknown key "language". Known keys: name, description,'],
    ['name: Poet!\nprompt: x\n', 'f.yaml:1: name: lower case letters, digits and "-"'],
    ['name: a\n\n', 'f.yaml:1: prompt: Invalid input'],
    ['name: a\nprompt: x\npermissions:\n  write: some\n', 'f.yaml:4: permissions.write: Invalid option'],
    ['name: a\nprompt: x\nproviders:\n  - a\n  - 3\n', 'f.yaml:5: providers.1: Invalid input'],
    ['name: a\nname: b\nprompt: x\n', 'f.yaml:2: Map keys must be unique'],
    ['name: [a\n', 'f.yaml:2: Flow sequence in block collection'],
    ['name: !!js/function x\nprompt: y\n', 'f.yaml:1: Unresolved tag'],
    [
      'a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n',
      'f.yaml: Excessive alias count',
    ],
    ['just text', 'f.yaml:1: Invalid input: expected object'],
  ]
  it.each(mistakes)('%j is refused with its line', (text, problem) => expect(() => parseRole(text, 'f.yaml')).toThrow(problem))

  it('says so when the built-in ones are not there', async () => {
    await expect(loadRoles({ templatesDir: '/no/such/folder' })).rejects.toThrow('/no/such/folder/roles: the built-in roles cannot be read')
    const folder = temporaryFolder()
    writeFiles(folder, { 'roles/a.yaml': 'name: a\nprompt: x\n', 'roles/README.md': 'not a role' })
    expect([...(await loadRoles({ templatesDir: folder })).keys()]).toEqual(['a'])
  })
})
