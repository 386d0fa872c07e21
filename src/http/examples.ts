/** A body that shows what a route is for, by its operation. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  'runs.submit': { project: '/home/you/project', sentence: 'Fix the login form: an empty password must be refused.', kind: 'bugfix' },
  'runs.approve': { comment: 'Looks right.' },
  'runs.reject': { comment: 'The message must name the field.' },
  'runs.send': { text: 'Keep the old function as an alias.' },
  'runs.land': {},
  'runs.resume': { runs: ['last'] },
  'post.tasks': {
    project: '/home/you/project',
    id: 'login-empty-password',
    title: 'Refuse an empty password',
    description: 'The login form takes an empty password. It must be refused with a message.',
    role: 'implementer',
  },
  'post.api.v1.workflows.start': { projectId: '/home/you/project', configuration: { task: 'Refuse an empty password.' } },
  'post.api.v1.workflows.id.control': { action: 'pause' },
}
