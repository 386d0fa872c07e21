import { type Task, taskSchema } from '../../src/core/task.ts'

/** A task that says nothing. */
export function toyTask(id: string, extra: Partial<Task> = {}): Task {
  return { ...taskSchema.parse({ id, title: `Task ${id}`, description: 'Nothing to do.' }), ...extra }
}
