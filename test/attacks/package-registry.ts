import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A registry of the user's own on loopback, which has one package, `tiny`, without TLS. */
export interface PackageRegistry {
  port: number
  url: string
  /** Paths that were asked for. */
  asked: string[]
  /** A lockfile that takes the package from there, or from elsewhere. */
  lockfile: (tarball?: string) => string
}

export const MANIFEST = JSON.stringify({ name: 'x', version: '1.0.0', dependencies: { tiny: '1.0.0' } })

export async function packageRegistry(): Promise<PackageRegistry> {
  const tarball = tiny()
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/tiny/-/tiny-1.0.0.tgz') response.end(tarball)
    else response.writeHead(404).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}/`
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  const lockfile = (resolved = `${url}tiny/-/tiny-1.0.0.tgz`) =>
    JSON.stringify({
      name: 'x',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: {
        '': { name: 'x', version: '1.0.0', dependencies: { tiny: '1.0.0' } },
        'node_modules/tiny': { version: '1.0.0', resolved, integrity, hasInstallScript: true },
      },
    })
  return { port, url, asked, lockfile }
}

/** Its install script leaves a mark: when that is there, it ran. */
function tiny(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'reeve-tiny-'))
  try {
    mkdirSync(join(folder, 'package'))
    const scripts = { postinstall: 'touch ran' }
    writeFileSync(join(folder, 'package/package.json'), JSON.stringify({ name: 'tiny', version: '1.0.0', scripts }))
    writeFileSync(join(folder, 'package/index.js'), "module.exports = 'tiny'\n")
    execFileSync('tar', ['-czf', 'tiny.tgz', 'package'], { cwd: folder })
    return readFileSync(join(folder, 'tiny.tgz'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
