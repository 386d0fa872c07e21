import { z } from 'zod'
import { roleSchema } from '../core/role.ts'
import { projectOf } from './context.ts'
import { operation } from './operation.ts'
import { projectInput } from './shapes.ts'

export const rolesList = operation({
  name: 'roles.list',
  route: 'GET /api/v1/roles',
  place: 'caller',
  summary: "Lists the roles: the built-in ones and the project's own from .reeve/roles/.",
  permission: 'roles:read',
  effect: 'read',
  input: z.object({ project: projectInput }),
  output: z.object({ roles: z.array(roleSchema) }),
  async handler(context, input) {
    const project = await projectOf(context, input.project)
    const roles = await context.kit.roles(project, project.head)
    return { roles: [...roles.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
  },
})
