import { fixtureProject, type Reply, write } from '../../support/fixture-project.ts'
import type { Server } from '../../support/server.ts'

/** Where a part measures. */
export interface Place {
  folder: string
  home: string
  project: string
  server: Server
  /** One that has ended well. */
  run: string
}

interface LoadProject {
  /** Where it goes. */
  outside: string
  name?: string
  /** Turns of an agent that only looks at a file, each after so long. */
  looks?: { turns: number; delay: string }
}

/** A repository on which a run goes through everything and hardly does anything: one file written by a scripted agent, one gate that says yes. */
export function loadProject({ outside, name = 'tiny', looks }: LoadProject): string {
  const turns = [
    ...Array.from({ length: looks?.turns ?? 0 }, () => ({
      calls: [{ tool: 'read_file', input: { path: 'README.md' } }],
      ...(looks === undefined ? {} : { delay: looks.delay }),
    })),
    { calls: [write('NOTES.md', 'A note.\n')] },
    { text: 'The note is written.' },
  ]
  const replies: Reply[] = [{ role: 'implementer', turns }]
  const off = ['build', 'types', 'lint'].map((it) => `[gates.${it}]\nenabled = false\n`).join('')
  const config = `[runs]\nworkflow = "direct"\nmax_attempts = 1\nmax_concurrent = 64\n[gates.tests]\ncommand = "true"\n${off}`
  return fixtureProject('make-plain', { outside, name, replies, config })
}

/** What a client posts for one run on it. */
export function noteTask(project: string, id: string): { project: string; documents: { name: string; text: string }[]; key: string } {
  const task = { id, title: `Note ${id}`, description: 'Write a note.', kind: 'chore' }
  return { project, documents: [{ name: `${id}.json`, text: JSON.stringify(task) }], key: id }
}
