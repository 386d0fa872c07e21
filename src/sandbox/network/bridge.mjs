// Runs inside a sandbox, started by node from a file that is mounted alone: it imports nothing of reeve.
// TCP 127.0.0.1:3128 of the empty network namespace -> the proxy's unix socket, and then the command.
// Arguments: SOCKET NO_PROXY COMMAND...; the command gets the variables by which tools find a proxy, and its end is passed on.
import { spawn } from 'node:child_process' // oxlint-disable-line no-restricted-imports -- it lives in the sandbox, where src/process is not
import { connect, createServer } from 'node:net'

const [, , socketPath, noProxy, command, ...args] = process.argv
const HOST = '127.0.0.1'
const PORT = 3128
const PROXY = `http://${HOST}:${PORT}`
// As a shell has it: 126 could not be run, 127 not found. 125: the bridge itself failed.
const FAILED = 125

const server = createServer({ allowHalfOpen: true }, (client) => {
  const out = connect({ path: socketPath, allowHalfOpen: true }) // either side may end before the other
  client.pipe(out).pipe(client)
  client.on('error', () => out.destroy()).on('close', () => out.destroySoon())
  out.on('error', () => client.destroy()).on('close', () => client.destroySoon())
})

server.on('error', (error) => {
  process.stderr.write(`reeve: the way to the network could not be opened: ${error.message}\n`)
  process.exit(FAILED)
})

server.listen(PORT, HOST, () => {
  const child = spawn(command, args, { stdio: 'inherit', env: withProxy(process.env) })
  child.on('error', (error) => {
    process.stderr.write(`reeve: ${command}: ${error.message}\n`)
    process.exit(error.code === 'ENOENT' ? 127 : 126)
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
})

/** Variables by which tools find a proxy: the usual ones in both cases, and those of tools that do not read them. */
function withProxy(env) {
  const java = `-Dhttp.proxyHost=${HOST} -Dhttp.proxyPort=${PORT} -Dhttps.proxyHost=${HOST} -Dhttps.proxyPort=${PORT}`
  return {
    ...env,
    HTTP_PROXY: PROXY,
    HTTPS_PROXY: PROXY,
    ALL_PROXY: PROXY,
    NO_PROXY: noProxy,
    http_proxy: PROXY,
    https_proxy: PROXY,
    all_proxy: PROXY,
    no_proxy: noProxy,
    npm_config_proxy: PROXY,
    npm_config_https_proxy: PROXY,
    npm_config_noproxy: noProxy,
    YARN_HTTP_PROXY: PROXY,
    YARN_HTTPS_PROXY: PROXY,
    NODE_USE_ENV_PROXY: '1',
    MAVEN_OPTS: [env.MAVEN_OPTS, java].filter(Boolean).join(' '),
    GRADLE_OPTS: [env.GRADLE_OPTS, java].filter(Boolean).join(' '),
  }
}
