import { chmod, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { selfSigned } from '../../test/support/certificate.ts'
import { temporaryFolder } from '../../test/support/folder.ts'
import { readTls } from './tls.ts'

async function files(made = selfSigned(['127.0.0.1'])) {
  const folder = temporaryFolder()
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  await writeFile(cert, made.cert)
  await writeFile(key, made.key, { mode: 0o600 })
  return { cert, key }
}

it('reads what a server answers with over TLS', async () => {
  const tls = await readTls(await files(), '127.0.0.1', Date.now())
  const server = createServer({ ...tls }, (_request, response) => response.end('hello'))
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const said = await new Promise<string>((resolve, reject) => {
    request({ host: '127.0.0.1', port, ca: tls.cert, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', resolve)
    })
      .on('error', reject)
      .end()
  })
  expect(said).toBe('hello')
})

it('refuses a key that others can read, one that does not fit, and a certificate whose time is over', async () => {
  const open = await files()
  await chmod(open.key, 0o640)
  await expect(readTls(open, '0.0.0.0', Date.now())).rejects.toThrow(`others can read the private key ${open.key}`)

  const one = await files()
  const other = await files()
  await expect(readTls({ cert: one.cert, key: other.key }, '0.0.0.0', Date.now())).rejects.toThrow('cannot be used together')

  await expect(readTls(one, '0.0.0.0', Date.now() + 2 * 86_400_000)).rejects.toThrow('has expired on')
  await expect(readTls({ ...one, cert: '/nowhere/cert.pem' }, '0.0.0.0', Date.now())).rejects.toMatchObject({
    code: 'unsafe_listen',
    message: expect.stringContaining('a file of TLS cannot be read'),
  })
})
