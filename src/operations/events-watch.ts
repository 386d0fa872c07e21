import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { EVENT_TYPES, isOfTypes } from '../core/event.ts'
import { projectsOf, runNamed } from './context.ts'
import { stream } from './operation.ts'
import { projectInput, runEventSchema, runInput } from './shapes.ts'

export const feedEventSchema = runEventSchema.extend({
  position: z.int().describe('Number in the order of the events of all runs; it goes up, with gaps.'),
  project: z.string().describe("Root of the run's project."),
})

export const eventsWatch = stream({
  name: 'events.watch',
  route: 'GET /api/v1/events',
  summary: 'Gives the events of all runs in the order in which they happened, and those to come with "follow".',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({
    after: z.int().min(0).optional().describe('Only events with a higher position; absent: with "follow" those to come, else all.'),
    project: projectInput,
    all: z.boolean().default(false).describe('Of all projects.'),
    types: z.array(z.string()).max(50).default([]).describe('Only events of these types; "run.*" stands for all that begin so.'),
    runs: z.array(runInput).max(100).default([]).describe('Only events of these runs.'),
    follow: z.boolean().default(false).describe('Stay until you leave.'),
  }),
  events: feedEventSchema,
  resume: { id: (event) => String(event.position), after: (id) => ({ after: Number(id) }) },
  async *handler(context, input, signal) {
    for (const type of input.types) mustBeType(type)
    const store = await context.store()
    const runs = await Promise.all(input.runs.map((it) => runNamed(context, store, it)))
    // Runs that the caller has named are of projects that it may see.
    const projects = runs.length > 0 ? null : await projectsOf(context, input)
    yield* store.feed({
      after: input.after ?? (input.follow ? await store.lastPosition() : 0),
      follow: input.follow,
      signal,
      ...(projects === null ? {} : { projects }),
      ...(runs.length === 0 ? {} : { runs: runs.map((it) => it.id) }),
      ...(input.types.length === 0 ? {} : { types: input.types }),
    })
  },
})

/** Throws `invalid_input` for a pattern that no type of event has. */
function mustBeType(pattern: string): void {
  if (Object.keys(EVENT_TYPES).some((type) => isOfTypes(type, [pattern]))) return
  throw new ReeveError('invalid_input', {
    problem: `no type of event is like "${pattern}"; allowed: ${Object.keys(EVENT_TYPES).join(', ')}`,
  })
}
