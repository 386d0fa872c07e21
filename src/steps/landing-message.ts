import { inCommit } from '../core/hostile-text.ts'
import type { Task } from '../core/task.ts'

const TYPES = { feature: 'feat', bugfix: 'fix', refactor: 'refactor', docs: 'docs', chore: 'chore', test: 'test' } as const

/** Subject of a conventional commit, at most 72 characters. */
export function commitSubject(kind: Task['kind'], title: string): string {
  const clean = inCommit(title.replaceAll(/\s+/g, ' ').trim())
  const subject = `${TYPES[kind]}: ${clean.charAt(0).toLowerCase()}${clean.slice(1)}`
  return subject.length > 72 ? `${subject.slice(0, 71)}…` : subject
}

/** Message and trailers of a landing commit; words of the task cannot pass for a trailer. A forced landing says so, and what the verdict was. */
export function landingMessage(about: { task: Task; run: string; isolation: string; verdict: string; forced: boolean }): {
  message: string
  trailers: Record<string, string>
} {
  return {
    message: `${commitSubject(about.task.kind, about.task.title)}\n\n${inCommit(about.task.description.trim())}`,
    trailers: {
      'Reeve-Run': about.run,
      'Reeve-Task': about.task.id,
      'Reeve-Verdict': about.forced ? `${about.verdict} (landed with --force)` : about.verdict,
      'Reeve-Isolation': about.isolation,
    },
  }
}
