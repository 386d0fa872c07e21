/**
 * Attacks on what a sandbox must protect, tried for real. `probe.ts` runs this file twice: confined, and unconfined to know that each
 * attack can succeed. Plain JavaScript with node: modules only, since it is copied alone into the sandbox and must start quickly.
 *
 * Argument: a `Target` of `stage.ts` as JSON. Output: a line of JSON per attack, `{ attack, got }` or `{ attack, refused }`, then
 * `{ ready: true }`; then it waits to be killed. What it believes to have done counts for little: the outside looks for itself.
 */
// oxlint-disable-next-line no-restricted-imports -- it is never run by reeve itself, only as a program under the limits of src/process
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { appendFile, link, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const target = JSON.parse(process.argv[2] ?? '{}')

// A refusal comes at once; what is dropped on the way would only be noticed after seconds. Whether anything arrived is seen outside.
const PATIENCE_MS = 400

/** Tries all of these. What got through, or the reason of the first that was refused. */
async function anyOf(...tries) {
  const ends = await Promise.allSettled(tries.map((it) => it()))
  const through = ends.find((it) => it.status === 'fulfilled')
  if (through) return through.value
  throw ends[0].reason
}

/** What the other end answers. */
function ask(where) {
  const { promise, resolve, reject } = Promise.withResolvers()
  const socket = connect(where)
  socket.once('error', reject)
  socket.once('data', (data) => resolve(String(data)))
  socket.setTimeout(PATIENCE_MS, () => reject(new Error('no answer')))
  return promise.finally(() => socket.destroy())
}

async function sendDatagram({ host, port }) {
  const socket = createSocket('udp4')
  const { promise, resolve, reject } = Promise.withResolvers()
  socket.once('error', reject)
  socket.send('inside', port, host, (error) => (error ? reject(error) : resolve('sent')))
  return await promise.finally(() => socket.close())
}

async function plant(file) {
  // In a folder that is not shown the path can often be made, in a private file system: the outside then finds nothing.
  await mkdir(dirname(file), { recursive: true })
  await appendFile(file, 'planted\n')
  return 'written'
}

async function replace(file) {
  const other = `${file}-other`
  await writeFile(other, 'gitdir: /planted\n')
  await rename(other, file)
  return 'replaced'
}

const ATTACKS = {
  home: () =>
    anyOf(
      () => plant(target.home.file),
      () => plant(join(target.home.folder, '.planted')),
      async () => {
        await symlink(target.home.folder, join(target.tree, 'way-out'))
        return await plant(join(target.tree, 'way-out', '.planted-by-link'))
      },
      async () => {
        await link(target.home.file, join(target.tree, 'same-file'))
        return await plant(join(target.tree, 'same-file'))
      },
    ),
  secret: () => readFile(target.secret, 'utf8'),
  sibling: () => readFile(target.sibling, 'utf8'),
  git: () =>
    anyOf(
      ...target.git.map((folder) => () => plant(join(folder, 'config'))),
      ...target.git.map((folder) => () => plant(join(folder, 'hooks/post-checkout'))),
      () => plant(join(target.tree, '.git')),
      () => replace(join(target.tree, '.git')),
    ),
  tcp: () => ask(target.tcp),
  udp: () => sendDatagram(target.udp),
  socket: () => ask({ path: target.socket }),
  abstract: () => ask({ path: target.abstract }),
  environ: async () => {
    const environment = await readFile(`/proc/${target.pid}/environ`)
    return createHash('sha256').update(environment).digest('hex')
  },
  signal: async () => {
    process.kill(target.pid, target.signal)
    return 'sent'
  },
  namespaces: async () => {
    await promisify(execFile)('unshare', ['-Ur', 'true'])
    return 'made'
  },
}

/** Two forks, a session of its own, none of the marks it was started with, deaf to a polite request. */
function leaveSleeper() {
  const line = `trap '' TERM HUP; env -i REEVE_PROC=${target.sleeper} sleep 60 &`
  spawn('/bin/sh', ['-c', line], { detached: true, stdio: 'ignore' }).on('error', () => {})
}

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Programs say why on stderr, the kernel by a code. */
function reasonOf(error) {
  return String(error.stderr ?? '').trim() || String(error.code ?? error.message)
}

async function attempt([attack, act]) {
  try {
    say({ attack, got: await act() })
  } catch (error) {
    say({ attack, refused: reasonOf(error) })
  }
}

leaveSleeper()
await Promise.all(Object.entries(ATTACKS).map(attempt))
say({ ready: true })
await delay(60_000)
