import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { problemOf, ReeveError } from '../core/errors.ts'

/** Certificate (with its chain) and private key of the server, as PEM. */
export interface TlsFiles {
  cert: string
  key: string
}

/**
 * Reads what the server shows and signs with. Refused is what would not work, or would not be a secret: a key that others can read, one that
 * does not fit, a certificate whose time is over. Throws `unsafe_listen`.
 */
export async function readTls(files: TlsFiles, host: string, now: number): Promise<TlsFiles> {
  const refuse = (problem: string) => new ReeveError('unsafe_listen', { host, problem })
  const [cert, key] = await Promise.all([files.cert, files.key].map((it) => readFile(it, 'utf8'))).catch((error: unknown) => {
    throw refuse(`a file of TLS cannot be read: ${problemOf(error)}`)
  })
  if (cert === undefined || key === undefined) throw refuse('a file of TLS is missing')
  // On Windows the bits say nothing.
  const { mode } = await stat(files.key)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw refuse(`others can read the private key ${files.key}; take that away: chmod 600 ${files.key}`)
  }
  try {
    createSecureContext({ cert, key, minVersion: 'TLSv1.2' })
  } catch (error) {
    throw refuse(`certificate and key cannot be used together: ${problemOf(error)}`)
  }
  const { validTo } = new X509Certificate(cert)
  if (new Date(validTo).getTime() <= now) throw refuse(`the certificate ${files.cert} has expired on ${validTo}`)
  return { cert, key }
}
