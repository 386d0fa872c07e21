/** What every provider promises, held by this one. Run: node --test examples/custom-provider/gateway.test.mjs */
import { after, describe, it } from 'node:test'
import { providerOver, providerPromises } from 'reeve/plugin'
import { plugin } from './gateway.mjs'
import { startGateway } from './server.ts'

const END = { read: 12, wrote: 3 }

function* flood() {
  for (let n = 0; n < 300; n++) yield { say: 'x'.repeat(100_000) }
}

/** How the gateway behaves in each situation. */
const SITUATIONS = {
  text: () => ({ lines: [{ say: 'Good ' }, { say: 'morning.' }, END] }),
  call: () => ({ lines: [{ do: 'look', with: { at: [1] } }, END] }),
  silence: () => null,
  garbage: () => ({ lines: ['<html>no</html>\n'] }),
  flood: () => ({ lines: flood() }),
  unauthorized: () => ({ status: 401 }),
  overloaded: () => ({ status: 529 }),
  limited: () => ({ status: 429, headers: { 'retry-after': '900' } }),
  'too-long': () => ({ status: 413 }),
}

await describe('the gateway keeps what every provider promises', () => {
  const gateways = []
  after(() => gateways.forEach((it) => it.close()))

  async function make(situation) {
    // Nobody listens at this port of loopback.
    if (situation === 'unreachable') return providerOver(plugin, { base_url: 'http://127.0.0.1:9' })
    const gateway = await startGateway(SITUATIONS[situation])
    gateways.push(gateway)
    return providerOver(plugin, { base_url: gateway.url })
  }

  for (const { name, run } of providerPromises({ make })) void it(name, run)
})
