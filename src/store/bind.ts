import type { Context } from './tx.ts'

type Method = (ctx: Context, ...args: never[]) => unknown

/** Functions of this room without their first argument. */
export type Bound<M extends Readonly<Record<string, Method>>> = {
  readonly [K in keyof M]: M[K] extends (ctx: Context, ...args: infer A) => infer R ? (...args: A) => R : never
}

/** Gives functions their store: a group of methods. */
export function bind<M extends Readonly<Record<string, Method>>>(ctx: Context, methods: M): Bound<M> {
  const bound = Object.entries(methods).map(([name, method]) => [name, (...args: never[]) => method(ctx, ...args)])
  return Object.fromEntries(bound) as Bound<M>
}
