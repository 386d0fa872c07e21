// Runs inside a sandbox, started by node from a file that is shown there alone: it imports nothing of reeve.
// A port of the loopback, which is all the network there is -> the proxy's unix socket, and then the command.
// Arguments: SOCKET NO_PROXY COMMAND...; the command gets the variables by which tools find a proxy, and its end is passed on.
import { spawn } from 'node:child_process' // oxlint-disable-line no-restricted-imports -- it lives in the sandbox, where src/process is not
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'

const [, , socketPath, noProxy, command, ...args] = process.argv
const HOST = '127.0.0.1'
// As a shell has it: 126 could not be run, 127 not found, 128 and more ended by a signal. 125: the bridge itself failed.
const ENDED = { bridge: 125, notRun: 126, notFound: 127, signal: 128 }

const server = createServer({ allowHalfOpen: true }, (client) => {
  const out = connect({ path: socketPath, allowHalfOpen: true }) // either side may end before the other
  client.pipe(out).pipe(client)
  client.on('error', () => out.destroy()).on('close', () => out.destroySoon())
  out.on('error', () => client.destroy()).on('close', () => client.destroySoon())
})

server.on('error', (error) => {
  process.stderr.write(`reeve: the way to the network could not be opened: ${error.message}\n`)
  process.exit(ENDED.bridge)
})

// Any port: where a sandbox has no loopback of its own, several bridges share the machine's.
server.listen(0, HOST, () => {
  // First: the command may send one, or be sent one, before this line is left.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => child.kill(signal))
  const child = spawn(command, args, { stdio: 'inherit', env: withProxy(process.env, server.address().port) })
  child.on('error', (error) => {
    process.stderr.write(`reeve: ${command}: ${error.message}\n`)
    process.exit(error.code === 'ENOENT' ? ENDED.notFound : ENDED.notRun)
  })
  child.on('exit', (code, signal) => process.exit(signal === null ? code : ENDED.signal + constants.signals[signal]))
})

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
