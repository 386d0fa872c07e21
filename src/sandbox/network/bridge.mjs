// Runs inside a sandbox, started by node from a file that is shown there alone: it imports nothing of reeve.
// Ports of the loopback, which is all the network there is -> unix sockets (the proxy's, and those of reeve's own servers), and then the command.
// Arguments: PROXY_SOCKET|- NO_PROXY COUNT (PORT SOCKET)... COMMAND...; the command gets the variables by which tools find a proxy, where there is
// one, and its end is passed on.
import { spawn } from 'node:child_process' // oxlint-disable-line no-restricted-imports -- it lives in the sandbox, where src/process is not
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'

const [, , proxySocket, noProxy, count, ...rest] = process.argv
const services = Array.from({ length: Number(count) }, (_, at) => ({ port: Number(rest[2 * at]), path: rest[2 * at + 1] }))
const [command, ...args] = rest.slice(2 * services.length)
const NONE = '-'
const HOST = '127.0.0.1'
// As a shell has it: 126 could not be run, 127 not found, 128 and more ended by a signal. 125: the bridge itself failed.
const ENDED = { bridge: 125, notRun: 126, notFound: 127, signal: 128 }

/** Joins a port to a socket; gives the port. */
async function join(path, port) {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const out = connect({ path, allowHalfOpen: true }) // either side may end before the other
    client.pipe(out).pipe(client)
    client.on('error', () => out.destroy()).on('close', () => out.destroySoon())
    out.on('error', () => client.destroy()).on('close', () => client.destroySoon())
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, HOST, resolve))
  return server.address().port
}

try {
  for (const it of services) await join(it.path, it.port)
  // Any port: where a sandbox has no loopback of its own, several bridges share the machine's.
  start(proxySocket === NONE ? process.env : withProxy(process.env, await join(proxySocket, 0)))
} catch (error) {
  process.stderr.write(`reeve: the way to the network could not be opened: ${error.message}\n`)
  process.exit(ENDED.bridge)
}

function start(env) {
  // First: the command may send one, or be sent one, before this line is left.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => child.kill(signal))
  const child = spawn(command, args, { stdio: 'inherit', env })
  child.on('error', (error) => {
    process.stderr.write(`reeve: ${command}: ${error.message}\n`)
    process.exit(error.code === 'ENOENT' ? ENDED.notFound : ENDED.notRun)
  })
  child.on('exit', (code, signal) => process.exit(signal === null ? code : ENDED.signal + constants.signals[signal]))
}

/** Variables by which tools find a proxy: the usual ones in both cases, and those of tools that do not read them. */
function withProxy(env, port) {
  const proxy = `http://${HOST}:${port}`
  const java = `-Dhttp.proxyHost=${HOST} -Dhttp.proxyPort=${port} -Dhttps.proxyHost=${HOST} -Dhttps.proxyPort=${port}`
  return {
    ...env,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    ALL_PROXY: proxy,
    NO_PROXY: noProxy,
    http_proxy: proxy,
    https_proxy: proxy,
    all_proxy: proxy,
    no_proxy: noProxy,
    npm_config_proxy: proxy,
    npm_config_https_proxy: proxy,
    npm_config_noproxy: noProxy,
    YARN_HTTP_PROXY: proxy,
    YARN_HTTPS_PROXY: proxy,
    NODE_USE_ENV_PROXY: '1',
    MAVEN_OPTS: [env.MAVEN_OPTS, java].filter(Boolean).join(' '),
    GRADLE_OPTS: [env.GRADLE_OPTS, java].filter(Boolean).join(' '),
  }
}
