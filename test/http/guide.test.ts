import { execFile } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { hostNames } from '../../src/http/guard.ts'
import { listen } from '../../src/http/listen.ts'
import { TOY_FILES } from '../support/app.ts'
import { temporaryFolder } from '../support/folder.ts'
import { testHttp } from '../support/http.ts'
import { itNeeds } from '../support/needs.ts'
import { makeRepository } from '../support/repository.ts'

const root = join(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/guides/http-api.md'), 'utf8')
const run = promisify(execFile)

/** The fenced blocks of this language. */
function blocks(language: string): string[] {
  return [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((it) => it[1] ?? '')
}

async function server() {
  const project = makeRepository(TOY_FILES)
  const at = { port: 0 }
  const { http } = testHttp({ hosts: () => hostNames({ host: '127.0.0.1', port: at.port, hosts: [] }) })
  const listening = await listen(http, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => listening.close())
  at.port = listening.port
  const env = { PATH: process.env['PATH'], REEVE_URL: `http://127.0.0.1:${at.port}`, REEVE_TOKEN: 'operator' }
  return { env, here: (text: string) => text.replaceAll('/home/you/shop', project) }
}

itNeeds('curl')('every curl of the guide works, and the error is what it shows', async () => {
  const { env, here } = await server()
  const answers: string[] = []
  for (const block of blocks('sh')) {
    // One after the other: the guide is read so.
    const { stdout } = await run('sh', ['-ec', here(block)], { env })
    answers.push(stdout)
  }
  expect(answers).toHaveLength(8)
  expect(answers[2]).toMatch(/^: open\n\nid: 1\ndata: \{.*"type":"run.queued".*\}\n\n[\s\S]*event: end\ndata: \{\}\n\n$/)
  expect(answers[3]).toMatch(/"type":"run.queued"[\s\S]*\{"end":true\}\n$/)
  expect(answers[4]).toMatch(/"status":"cancelled"/)
  expect(answers[5]).toMatch(/"next":"/)
  const [first, second] = (answers[6] ?? '').split('}{"runs"')
  expect(`${first}}`).toBe(`{"runs"${second}`)
  expect(JSON.parse(answers[7] ?? '')).toEqual(JSON.parse(blocks('json')[0] ?? ''))
})

it('the program of the guide works', async () => {
  const { env, here } = await server()
  const folder = temporaryFolder('reeve-guide-')
  await mkdir(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/reeve'))
  writeFileSync(join(folder, 'program.mjs'), here(blocks('ts')[0] ?? ''))
  const { stdout } = await run(process.execPath, [join(folder, 'program.mjs')], { env })
  expect(stdout).toBe('1 run.queued\n')
})
