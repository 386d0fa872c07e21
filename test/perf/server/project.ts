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
  /** More turns of the agent, each with a small file and after so long. */
  more?: { turns: number; delay: string }
}

/** A repository on which a run goes through everything and hardly does anything: one file written by a scripted agent, one gate that says yes. */
export function loadProject({ outside, name = 'tiny', more }: LoadProject): string {
  const turns = [
    ...Array.from({ length: more?.turns ?? 0 }, (_, at) => ({
      calls: [write(`notes/${at}.md`, 'A note.\n')],
      ...(more === undefined ? {} : { delay: more.delay }),
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
