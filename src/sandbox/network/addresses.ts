import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** `public`: anybody's. `private`: of this machine or its network. `never`: no server lies there, or another address hides in it. */
export type Reach = 'public' | 'private' | 'never'

type Net = readonly [address: string, bits: number]

/** From the registries of special addresses (RFC 6890 and its updates). Nets for documentation are no danger and count as public. */
const PRIVATE_V4: readonly Net[] = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // shared by the customers of a provider
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15], // between test devices
]
const NEVER_V4: readonly Net[] = [
  ['0.0.0.0', 8], // "this host": Linux connects it to loopback
  ['169.254.0.0', 16], // link-local: the metadata service of clouds
  ['192.0.0.0', 24],
  ['192.88.99.0', 24], // relays of 6to4
  ['224.0.0.0', 3], // multicast, reserved, broadcast
]
const PRIVATE_V6: readonly Net[] = [
  ['::1', 128],
  ['fc00::', 7],
]
// Everything else outside of it is refused: mapped (::ffff:0:0/96) and translated (64:ff9b::/96) addresses, link-local, multicast.
const GLOBAL_V6: readonly Net[] = [['2000::', 3]]
const NEVER_V6: readonly Net[] = [
  ['2001::', 32], // Teredo: an IPv4 address hides in it
  ['2001:10::', 28],
  ['2001:20::', 28], // keys, not places
  ['2002::', 16], // 6to4: an IPv4 address hides in it
]

function list(nets: readonly Net[], family: 'ipv4' | 'ipv6'): BlockList {
  const made = new BlockList()
  for (const [address, bits] of nets) made.addSubnet(address, bits, family)
  return made
}

const V4 = { private: list(PRIVATE_V4, 'ipv4'), never: list(NEVER_V4, 'ipv4') }
const V6 = { private: list(PRIVATE_V6, 'ipv6'), global: list(GLOBAL_V6, 'ipv6'), never: list(NEVER_V6, 'ipv6') }

/** Where an address lies. Text that is no plain address (a name, one with a zone) is `never`. */
export function reachOf(address: string): Reach {
  if (isIPv4(address)) {
    if (V4.never.check(address)) return 'never'
    return V4.private.check(address) ? 'private' : 'public'
  }
  if (!isIPv6(address) || address.includes('%')) return 'never'
  if (V6.private.check(address, 'ipv6')) return 'private'
  return V6.global.check(address, 'ipv6') && !V6.never.check(address, 'ipv6') ? 'public' : 'never'
}
