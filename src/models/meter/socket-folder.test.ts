import { existsSync, mkdirSync, readdirSync, renameSync, statSync, utimesSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { metered, scripted } from '../../../test/support/meter.ts'

describe('the socket', () => {
  it('lies in a folder that is closed to others, and goes with the proxy', async () => {
    const folder = temporaryFolder()
    const server = await scripted()
    const meter = await metered(server.url, { folder, listenTcp: false })
    const { socketPath } = meter
    expect(Buffer.byteLength(socketPath ?? '')).toBeLessThan(100)
    expect(statSync(dirname(socketPath ?? '')).mode & 0o777).toBe(0o700)
    await expect(fetch(`${meter.url}/v1/models`)).rejects.toThrow('fetch failed')
    const status = await new Promise((resolve, reject) => {
      const headers = { 'x-api-key': meter.token }
      request({ socketPath: socketPath ?? '', path: '/v1/models', headers }, (it) => resolve(it.statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(200)
    await meter.close()
    expect(readdirSync(folder)).toEqual([])
  })

  it('of a process that was killed is removed by the next one, and no other', async () => {
    const folder = temporaryFolder()
    const at = (name: string) => join(folder, `reeve-meter-${name}`)
    const [dead, young, living, odd, open] = [at('dead'), at('young'), at('living'), at('odd'), at('open')]
    for (const it of [dead, young, living, odd]) mkdirSync(it, { mode: 0o700 })
    // Somebody else can put links into it while it is being removed.
    mkdirSync(open, { mode: 0o755 })
    const listen = async (path: string) => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(path, resolve))
      return server
    }
    const alive = await listen(join(living, 's'))
    onTestFinished(() => void alive.close())
    // Sockets that nobody listens at: closing removes them by the name that they had.
    for (const it of [dead, young, open]) {
      const server = await listen(join(it, 'was'))
      renameSync(join(it, 'was'), join(it, 's'))
      await new Promise((resolve) => server.close(resolve))
    }
    for (const it of [dead, living, open]) utimesSync(join(it, 's'), 1, 1)
    const meter = await metered('http://127.0.0.1:9', { folder, listenTcp: false })
    await meter.close()
    expect(readdirSync(folder).toSorted()).toEqual(['reeve-meter-living', 'reeve-meter-odd', 'reeve-meter-open', 'reeve-meter-young'])
  })

  it('lies elsewhere where its path would be too long', async () => {
    const server = await scripted()
    const meter = await metered(server.url, { folder: join(temporaryFolder(), 'l'.repeat(120)), listenTcp: false })
    expect(existsSync(meter.socketPath ?? '')).toBe(true)
    await meter.close()
    expect(existsSync(dirname(meter.socketPath ?? ''))).toBe(false)
  })
})
