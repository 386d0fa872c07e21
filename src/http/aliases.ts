import type { Gateway, OperationName } from '../client/client.ts'
import { ReeveError } from '../core/errors.ts'
import { ROUTE_ALIASES, type RouteAlias } from '../operations/aliases.ts'
import { sentence } from '../operations/invoke.ts'
import { tableOf, whoseKeys } from './answer.ts'
import { readBody } from './body.ts'
import { type App, honoPath, known } from './bound.ts'
import { idempotencyKey, type Keys, withKey } from './idempotency.ts'
import { fromQuery } from './query.ts'
import { inputSchema } from './routes.ts'

/** Routes of older systems. What they do, operations do, for the same caller. */
export function mountAliases(app: App, gateway: Gateway, keys: Keys): void {
  for (const alias of ROUTE_ALIASES) {
    const [method = '', path = ''] = alias.route.split(' ')
    const schema = inputSchema(alias)
    app.on(method, honoPath(path), async (c) => {
      c.env.route = path
      const { raw } = c.req
      const caller = known(c.env)
      const client = gateway.as(caller)
      const query = fromQuery(new URL(raw.url).searchParams, schema)
      const body = method === 'GET' ? {} : tableOf(await readBody(raw))
      const input = readInput(alias, { ...query, ...body, ...c.req.param() })
      const key = method === 'GET' ? null : idempotencyKey(raw.headers)
      const actor = whoseKeys(caller)
      const answer = async () => {
        const call = (name: OperationName, it: object) => client.call(name, key === null ? it : withKey(name, it, actor, key), raw.signal)
        return Response.json(await alias.run(call, input), { status: alias.status })
      }
      return key === null ? answer() : keys.once({ key, actor, name: alias.route, input }, answer)
    })
  }
}

function readInput({ route, input }: RouteAlias, given: Record<string, unknown>): Record<string, unknown> {
  const read = input.safeParse(given)
  if (read.success) return read.data
  const problems = read.error.issues.map((it) => `${it.path.join('.') || 'input'}: ${sentence(it)}`)
  throw new ReeveError('invalid_input', { problem: `${route}: ${problems.join('; ')}` })
}
