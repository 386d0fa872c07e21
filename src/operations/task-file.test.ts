import { describe, expect, it } from 'vitest'
import { readTaskFiles } from './task-file.ts'
import { inDependencyOrder, taskFromSentence } from './tasks.ts'

const read = (text: string, name = 'task.yaml') => readTaskFiles([{ name, text }])

function refused(text: string, name = 'task.yaml'): string {
  try {
    read(text, name)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was refused')
}

const TASK = 'id: a\ntitle: Add a\ndescription: Add it\n'

describe('task files', () => {
  it('reads one task with the defaults of the rest, and keeps unknown fields as context', () => {
    const { tasks, warnings } = read(`${TASK}ticket: ABC-1\nlinks: [x]\ncontext: { own: 1 }\n`)
    expect(tasks).toMatchObject([
      { id: 'a', title: 'Add a', role: 'implementer', kind: 'feature', context: { own: 1, ticket: 'ABC-1', links: ['x'] } },
    ])
    expect(warnings).toEqual([])
  })

  it.each([
    ['several documents', `${TASK}---\n${TASK.replace('id: a', 'id: b')}`],
    ['a list', '- { id: a, title: t, description: d }\n- { id: b, title: t, description: d }\n'],
    ['a table with tasks', 'tasks:\n  - { id: a, title: t, description: d }\n  - { id: b, title: t, description: d }\n'],
    ['JSON', '[{"id":"a","title":"t","description":"d"},\n\t{"id":"b","title":"t","description":"d"}]'],
    ['an anchor', '- &one { id: a, title: t, description: d }\n- { <<: *one, id: b, title: t, description: d }\n'],
  ])('reads %s', (_what, text) => {
    expect(read(text).tasks.map((it) => it.id)).toEqual(['a', 'b'])
  })

  it('warns of a field that looks mistyped, with its line', () => {
    expect(read(`${TASK}depend_on: [x]\n`).warnings).toEqual([
      'task.yaml:4: unknown field "depend_on" is given to the role as context; did you mean "depends_on"?',
    ])
  })

  const table: [string, string, string][] = [
    ['a missing field', 'id: a\ntitle: t\n', 'task.yaml:1: description is missing'],
    [
      'a mistyped one that is needed',
      '\n\nid: a\ntitel: t\ndescription: d\n',
      'task.yaml:3: title is missing; is it "titel" that is mistyped?',
    ],
    [
      'a word that is no choice',
      `${TASK}kind: epic\n`,
      'task.yaml:4: kind is not allowed; allowed: feature, bugfix, refactor, docs, chore, test',
    ],
    [
      'a bad id',
      TASK.replace('id: a', 'id: ../a'),
      'task.yaml:1: id is not allowed; only letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit',
    ],
    ['a list where a text is wanted', TASK.replace('Add it', '[1]'), 'task.yaml:3: description must be a text'],
    ['an empty title', TASK.replace('Add a', '""'), 'task.yaml:2: title must be at least 1 characters'],
    [
      'an unknown check',
      `${TASK}acceptance:\n  tests: []\n  typechek: true\n`,
      'task.yaml:6: unknown field "acceptance.typechek"; did you mean "typecheck"?',
    ],
    ['a wrong check', `${TASK}acceptance:\n  lint: 3\n`, 'task.yaml:5: acceptance.lint must be true, false, or a command'],
    ['a budget of nothing', `${TASK}budget: { usd: 0 }\n`, 'task.yaml:4: budget.usd must be more than 0'],
    ['a text instead of a task', 'just words\n', 'task.yaml:1: is no task; a task is a table with at least id, title and description'],
    ['an empty file', '# nothing\n', 'task.yaml: holds no task'],
    ['broken YAML', 'id: a\ntitle: "open\n', 'task.yaml:3: Missing closing "quote'],
    ['a key that is there twice', `${TASK}id: b\n`, 'task.yaml:4: Map keys must be unique'],
    ['an unknown tag', 'id: !secret a\ntitle: t\ndescription: d\n', 'task.yaml:1: Unresolved tag: !secret'],
    ['an id that is taken', `${TASK}---\n${TASK}`, 'task.yaml:5: the id "a" is taken by the task at task.yaml:1'],
    ['a task that depends on itself', `${TASK}depends_on: [a]\n`, 'task.yaml:1: task "a" depends on itself'],
  ]
  it.each(table)('refuses %s', (_what, text, sentence) => {
    expect(refused(text)).toBe(sentence)
  })

  it('lists all problems of all files', () => {
    const documents = [
      { name: 'one.yaml', text: 'id: a\n' },
      { name: 'two.json', text: '{\n"id": 1, "title": "t", "description": "d" }' },
    ]
    expect(() => readTaskFiles(documents)).toThrow(
      'one.yaml:1: title is missing\none.yaml:1: description is missing\ntwo.json:2: id must be a text',
    )
  })

  it('refuses a bomb of aliases', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((it, at) => `${it}: &${it} [${Array(9).fill(`*${'abcdefgh'[at]}`).join(',')}]`),
    ].join('\n')
    expect(() => read(bomb)).toThrow('alias')
  })
})

describe('a sentence as a task', () => {
  it('takes the first line as title and makes an id of it', () => {
    expect(taskFromSentence('Add a --json flag\n\nIt prints JSON.', 'x1')).toMatchObject({
      id: 'add-a-json-flag-x1',
      title: 'Add a --json flag',
      description: 'Add a --json flag\n\nIt prints JSON.',
      kind: 'feature',
      role: 'implementer',
    })
  })

  it('cuts a long title at 80 characters', () => {
    const task = taskFromSentence(`Do ${'very '.repeat(40)}much`, 'x', 'chore', 'backend')
    expect(task.title).toHaveLength(80)
    expect(task.title.endsWith('…')).toBe(true)
    expect(task).toMatchObject({ kind: 'chore', role: 'backend' })
  })

  it('refuses nothing at all', () => {
    expect(() => taskFromSentence('  \n', 'x')).toThrow('The task is empty. Say what is wanted')
  })
})

const task = (id: string, ...depends_on: string[]) => ({ ...taskFromSentence('t', 'x'), id, depends_on })

describe('dependencies', () => {
  it('puts each task after those it depends on, and keeps the order where it is free', () => {
    const ordered = inDependencyOrder([task('c', 'b'), task('x'), task('b', 'a', 'elsewhere'), task('a')])
    expect(ordered.map((it) => it.id)).toEqual(['a', 'b', 'c', 'x'])
  })

  it('refuses a circle by the names in it', () => {
    expect(() => inDependencyOrder([task('z', 'a'), task('a', 'b'), task('b', 'c'), task('c', 'a')])).toThrow(
      'These tasks depend on each other in a circle: a -> b -> c -> a.',
    )
  })
})

it('52: tells a hundred of the things that are wrong, and is done soon where very many are', () => {
  const told = (text: string) => {
    try {
      readTaskFiles([{ name: 'a.yaml', text }])
    } catch (error) {
      return (error as Error).message.split('\n')
    }
    return []
  }
  const lines = told(`id: a\ntitle: b\ndescription: c\ndepends_on:\n${'  - 1\n'.repeat(20_000)}`)
  expect(lines).toHaveLength(100)
  expect(lines[0]).toContain('a.yaml:5: depends_on.0 must be a text')
  expect(told('- { id: a, title: b, description: c }\n'.repeat(151)).slice(-2)).toEqual([
    'a.yaml:101: the id "a" is taken by the task at a.yaml:1',
    '… and 50 more',
  ])
})
