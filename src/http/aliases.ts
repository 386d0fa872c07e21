import type { Gateway } from '../client/client.ts'
import { ReeveError } from '../core/errors.ts'
import { ROUTE_ALIASES, type RouteAlias } from '../operations/aliases.ts'
import { sentence } from '../operations/invoke.ts'
import { tableOf } from './answer.ts'
import { readBody } from './body.ts'
import { type App, honoPath, known } from './bound.ts'
import { fromQuery } from './query.ts'
import { inputSchema } from './routes.ts'

/** Routes of older systems. What they do, operations do, for the same caller. */
export function mountAliases(app: App, gateway: Gateway): void {
  for (const alias of ROUTE_ALIASES) {
    const [method = '', path = ''] = alias.route.split(' ')
    const schema = inputSchema(alias)
    app.on(method, honoPath(path), async (c) => {
      c.env.route = path
      const { raw } = c.req
      const client = gateway.as(known(c.env))
      const query = fromQuery(new URL(raw.url).searchParams, schema)
      const body = method === 'GET' ? {} : tableOf(await readBody(raw))
      const input = readInput(alias, { ...query, ...body, ...c.req.param() })
      const output = await alias.run((name, it) => client.call(name, it, raw.signal), input)
      return Response.json(output, { status: alias.status })
    })
  }
}

function readInput({ route, input }: RouteAlias, given: Record<string, unknown>): Record<string, unknown> {
  const read = input.safeParse(given)
  if (read.success) return read.data
  const problems = read.error.issues.map((it) => `${it.path.join('.') || 'input'}: ${sentence(it)}`)
  throw new ReeveError('invalid_input', { problem: `${route}: ${problems.join('; ')}` })
}
