import { afterAll, describe, expect, it } from 'vitest'
import { parserThread } from './parser-thread.ts'

const sound = parserThread()
afterAll(() => sound.close())

describe('the parser thread', () => {
  it('gives up on a file that takes too long, says so, and goes on with the next', async () => {
    const thread = parserThread({ parseMs: 1 })
    const slow = 'a = ['.repeat(1) + 'x + (y * [z]),\n'.repeat(60_000) + ']\n'
    await expect(thread.outline('python', slow)).rejects.toThrow('parsing took longer than 0.001 s')
    await thread.close()

    const patient = parserThread()
    const again = await patient.outline('python', 'def f(): pass\n')
    expect(again.symbols.map((it) => it.name)).toEqual(['f'])
    await patient.close()
  })

  it('answers all that wait when one is given up', async () => {
    const thread = parserThread({ parseMs: 600 })
    const huge = `a = [${'x + (y * [z]),\n'.repeat(600_000)}]\n`
    const [first, second] = await Promise.allSettled([thread.outline('python', huge), thread.outline('python', 'def f(): pass\n')])
    expect(first.status).toBe('rejected')
    expect(second.status).toBe('fulfilled')
    await thread.close()
  })

  it('names a crash and goes on in a new thread', async () => {
    const script = `const { parentPort } = require('node:worker_threads')
      parentPort.on('message', ({ id, text }) => {
        if (text === 'throw') throw new Error('memory access out of bounds')
        if (text === 'exit') process.exit(3)
        if (text === 'fail') return parentPort.postMessage({ id, type: 'failed', problem: 'no tree' })
        parentPort.postMessage({ id, type: 'check', found: { line: 7, message: text } })
      })`
    const thread = parserThread({ file: new URL(`data:text/javascript,${encodeURIComponent(commonJs(script))}`), parseMs: 20_000 })
    const answers = await Promise.allSettled(['throw', 'one', 'exit', 'fail', 'two'].map((it) => thread.check('python', it)))
    expect(answers.map((it) => (it.status === 'fulfilled' ? it.value?.message : String(it.reason)))).toEqual([
      'Error: the parser crashed: memory access out of bounds',
      'one',
      'Error: the parser thread ended',
      'Error: no tree',
      'two',
    ])
    await expect(thread.outline('python', 'three')).rejects.toThrow('the parser answered another question')
    await thread.close()
  })

  it('does not wait for ever for a thread that says nothing', async () => {
    const thread = parserThread({ file: new URL('data:text/javascript,setInterval(() => {}, 1000)'), loadMs: 200 })
    await expect(thread.check('python', 'x')).rejects.toThrow('the grammar was not loaded within 0.2 s')
    await thread.close()
  })

  it('survives brackets nested a hundred thousand deep', async () => {
    const text = `const a = ${'('.repeat(100_000)}1${')'.repeat(100_000)}\n`
    await Promise.allSettled([sound.outline('javascript', text), sound.check('javascript', `${text}(`)])
    expect((await sound.outline('javascript', 'function f() {}')).symbols).toHaveLength(1)
  })

  it('refuses what waits when it is closed', async () => {
    const thread = parserThread()
    const waiting = expect(thread.outline('python', 'x = 1\n')).rejects.toThrow('the parser was closed')
    await thread.close()
    await waiting
  })

  it('leaves the event loop free while it parses', async () => {
    const thread = parserThread()
    let turns = 0
    const timer = setInterval(() => (turns += 1), 1)
    await thread.outline('python', 'x = f(1, [2, 3])\n'.repeat(20_000))
    clearInterval(timer)
    expect(turns).toBeGreaterThan(5)
    await thread.close()
  })
})

/** A data URL is read as a module; the tests' workers are easier to read with require. */
function commonJs(script: string): string {
  return `import { createRequire } from 'node:module'\nconst require = createRequire('file:///')\n${script}`
}
