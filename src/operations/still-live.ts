import { ReeveError } from '../core/errors.ts'
import type { Context } from './context.ts'

// A key that was revoked gets no event after that; asking before each event would cost more than the event.
const LOOK_AGAIN_MS = 2000

/** For the events of one stream: throws `unauthorized` once the key that has opened it is revoked or expired. */
export function createStillLive({ caller, clock, store }: Pick<Context, 'caller' | 'clock' | 'store'>): () => Promise<void> {
  const { id } = caller
  if (id === undefined) return async () => undefined
  let looked = clock.now()
  return async () => {
    if (clock.now() - looked < LOOK_AGAIN_MS) return
    const state = (await (await store()).access.findKey(id))?.key.state ?? 'gone'
    if (state !== 'live') throw new ReeveError('unauthorized', { problem: `its key is ${state}` })
    looked = clock.now()
  }
}
