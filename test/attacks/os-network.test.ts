import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished } from 'vitest'
import { itNeeds } from '../support/needs.ts'
import { bench } from './bench.ts'
import { hearDatagrams, listenOn, ownAddresses } from './canaries.ts'

const it = itNeeds('bubblewrap')

describe('the network', () => {
  it('18: is not there for a command: no address of this machine is reached by TCP', async () => {
    const canaries = await Promise.all(
      [...ownAddresses('IPv4'), ...ownAddresses('IPv6')].map(async (host) => ({ host, ...(await listenOn({ host, port: 0 })) })),
    )
    const { shell } = await bench()
    const tries = canaries.flatMap(({ host, port }) => [
      `curl -gsm 2 http://${host.includes(':') ? `[${host}]` : host}:${port}`,
      `timeout 2 bash -c 'cat < /dev/tcp/${host}/${port}'`,
    ])
    const named = `curl -sm 2 http://localhost:${canaries[0]?.port}`
    const { stdout } = await shell([...tries, named].join('\n'))
    expect(canaries.flatMap((it) => it.heard)).toEqual([])
    expect(stdout).not.toContain('canary')
  })

  itNeeds('bubblewrap', 'python3')(
    '18: is not there for a command: no datagram leaves, to whatever port, name server or by ping',
    async () => {
      const canaries = await Promise.all(
        [...ownAddresses('IPv4'), ...ownAddresses('IPv6')].map(async (host) => ({ host, ...(await hearDatagrams(host)) })),
      )
      const { python } = await bench()
      const { stdout } = await python(`
import socket
def tell(what, call):
    try: print(what, 'REACHED', call())
    except OSError as e: print(what, e.errno)
for host, port in ${JSON.stringify(canaries.map(({ host, port }) => [host, port]))}:
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try: socket.socket(family, socket.SOCK_DGRAM).sendto(b'x', (host, port))
    except OSError: pass
outside = lambda kind, *more: socket.socket(socket.AF_INET, kind, *more).sendto(b'x' * 8, ('192.0.2.1', 53))
tell('udp 53', lambda: outside(socket.SOCK_DGRAM))
tell('ping', lambda: outside(socket.SOCK_DGRAM, socket.IPPROTO_ICMP))
tell('raw', lambda: outside(socket.SOCK_RAW, socket.IPPROTO_ICMP))
tell('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
tell('name', lambda: socket.getaddrinfo('example.com', 80))
print(sorted(name for _, name in socket.if_nameindex()))
`)
      expect(canaries.flatMap((it) => it.heard)).toEqual([])
      expect(stdout).not.toContain('REACHED')
      expect(stdout).toContain("['lo']")
    },
  )

  it('18: works within itself, so that tests may start servers', async () => {
    const { shell } = await bench()
    const serve = "require('http').createServer((q, s) => s.end('own')).listen(8123, '127.0.0.1')"
    const { stdout } = await shell(
      `node -e "${serve}" & sleep 0.5; curl -s --retry 20 --retry-connrefused --retry-delay 0 http://localhost:8123; kill %1`,
    )
    expect(stdout).toBe('own')
  })
})

describe('what listens on this machine', () => {
  it('22: is not reached by a command: daemons, a database, the container engine, the ssh agent, D-Bus, X11', async () => {
    const short = mkdtempSync('/tmp/.reeve-sockets-')
    onTestFinished(() => rmSync(short, { recursive: true, force: true }))
    const { home, shell } = await bench({
      env: (home) => ({
        SSH_AUTH_SOCK: join(home, 'agent.sock'),
        DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(home, 'bus')}`,
        DOCKER_HOST: `unix://${join(home, 'docker.sock')}`,
        DISPLAY: ':99',
      }),
    })
    const name = `reeve-x11-${process.pid}`
    const paths = ['agent.sock', 'bus', 'docker.sock', '.s.PGSQL.5432'].map((it) => join(home, it))
    const canaries = await Promise.all([
      ...[...paths, join(short, 'X0'), `\0${name}`].map((path) => listenOn({ path })),
      listenOn({ host: '127.0.0.1', port: 0 }),
    ])
    const where = [...paths, join(short, 'X0'), `\0${name}`].map((path) => ({ path })) as object[]
    const port = canaries.at(-1)?.port
    const { stdout } = await shell(`node -e '
      for (const where of ${JSON.stringify([...where, { host: '127.0.0.1', port }])})
        require("net").connect(where).on("data", (it) => console.log(String(it))).on("error", () => {})
      ' ; env | grep -E "SSH_AUTH_SOCK|DBUS|DOCKER|DISPLAY|XDG_RUNTIME|XAUTH"; ls /run /var/run /tmp/.X11-unix`)
    expect(canaries.flatMap((it) => it.heard)).toEqual([])
    expect(stdout).toBe('')
  })

  itNeeds('bubblewrap', 'python3')(
    '22: is not reached by a command: the host of this virtual machine, and families nobody needs',
    async () => {
      const { python } = await bench()
      const families = { vsock: 40, packet: 17, alg: 38, bluetooth: 31, can: 29, tipc: 30, xdp: 44, qipcrtr: 42 }
      const { stdout } = await python(`
import socket
for name, family in ${JSON.stringify(families)}.items():
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW):
        try: socket.socket(family, kind); print(name, 'MADE')
        except OSError as e: print(name, e.errno)
`)
      const EPERM = 1
      expect(new Set(stdout.trim().split('\n'))).toEqual(new Set(Object.keys(families).map((it) => `${it} ${EPERM}`)))
    },
  )

  itNeeds('bubblewrap', ['tmux', '-V'])(
    '23: starts nothing for a command: services, timers, crontabs, a terminal multiplexer',
    async () => {
      const { home, shell } = await bench()
      const socket = join(home, 'tmux.sock')
      const tmux = (...args: string[]) =>
        execFileSync('tmux', ['-S', socket, ...args], { stdio: 'ignore', env: { PATH: process.env['PATH'], HOME: home } })
      tmux('-f', '/dev/null', 'new-session', '-d', 'sleep 60')
      onTestFinished(() => void tmux('kill-server'))
      const planted = [
        '.config/systemd/user/x.service',
        '.config/autostart/x.desktop',
        '.config/cron',
        '.profile',
        '.config/environment.d/x.conf',
      ]
      const mark = join(home, 'pwned')
      await shell(`
      tmux -S ${socket} run-shell 'echo x > ${mark}'
      timeout 5 systemd-run --user --wait touch ${mark}
      echo "touch ${mark}" | timeout 5 at now
      echo "* * * * * touch ${mark}" | timeout 5 crontab -
      ${planted.map((it) => `mkdir -p ${home}/$(dirname ${it}); echo x > ${home}/${it}`).join('\n')}`)
      expect([mark, ...planted.map((it) => join(home, it))].filter((it) => existsSync(it))).toEqual([])
    },
  )
})
