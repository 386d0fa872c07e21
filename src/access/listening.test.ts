import { expect, it } from 'vitest'
import { isLoopback, listenAddress } from './listening.ts'

const TLS = { tlsCert: '/cert.pem', tlsKey: '/key.pem' }
const LOOPBACK = ['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost', 'LOCALHOST']
const BEYOND = ['0.0.0.0', '::', '[::]', '192.168.1.4', '10.0.0.1', '8.8.8.8', 'fe80::1', '::ffff:10.0.0.1', '128.0.0.1']

it.each(LOOPBACK)('listens on %s as it is, with TLS where there are files', (host) => {
  expect(listenAddress({ host, liveKeys: 0 })).toMatchObject({ loopback: true, tls: null })
  expect(listenAddress({ host, ...TLS, liveKeys: 0 })).toMatchObject({ tls: { cert: '/cert.pem', key: '/key.pem' } })
})

it.each(BEYOND)('47: listens on %s with TLS and a live key only', (host) => {
  expect(() => listenAddress({ host, liveKeys: 3 }), 'no TLS').toThrow('whoever is on the way could read and change everything')
  expect(() => listenAddress({ host, ...TLS, liveKeys: 0 }), 'no key').toThrow('there is no API key with which anybody could come in')
  expect(listenAddress({ host, ...TLS, liveKeys: 1 })).toMatchObject({ loopback: false, tls: { cert: '/cert.pem' } })
})

it.each(['', 'example.com', '127.0.0.1.example.com', '0x7f.1', '2130706433', '127.1', 'localhost.example.com', ' 127.0.0.1'])(
  '47: does not take "%s" for an address',
  (host) => {
    expect(() => listenAddress({ host, ...TLS, liveKeys: 1 })).toThrow('it is no IP address')
  },
)

it('wants both files of TLS or none', () => {
  expect(() => listenAddress({ host: '127.0.0.1', tlsCert: '/c', liveKeys: 0 })).toThrow(
    'daemon.tls_cert is set, and daemon.tls_key is not',
  )
  expect(() => listenAddress({ host: '127.0.0.1', tlsKey: '/k', liveKeys: 0 })).toThrow('daemon.tls_key is set, and daemon.tls_cert is not')
})

it('knows the addresses that only this machine has', () => {
  expect(['127.0.0.1', '::1', '::ffff:127.0.0.1'].filter((it) => !isLoopback(it))).toEqual([])
  expect(['10.0.0.1', '::ffff:10.0.0.1', '::', '127.0.0.1.evil', 'tcp', ''].filter(isLoopback)).toEqual([])
})
