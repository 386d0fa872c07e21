import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { writeRandomModel, writeScriptedModel } from '../../../test/support/gguf.ts'
import { runProgram } from '../../process/run-program.ts'
import { readHeader } from './header.ts'

function file(content: Uint8Array): string {
  const path = join(temporaryFolder(), 'model.gguf')
  writeFileSync(path, content)
  return path
}

function modelBytes(): Buffer {
  const path = join(temporaryFolder(), 'model.gguf')
  writeRandomModel(path)
  return readFileSync(path)
}

it('says what a model is', async () => {
  const path = join(temporaryFolder(), 'model.gguf')
  writeScriptedModel(path, 'Hello there.', { context: 4096 })
  const header = await readHeader(path)
  expect(header).toMatchObject({ version: 3, architecture: 'llama', name: 'scripted', contextTokens: 4096 })
  expect(header.sizeBytes).toBe(readFileSync(path).length)
  expect(header.parameters).toBeGreaterThan(100_000)
})

it('refuses what is no GGUF file, and says why', async () => {
  await expect(readHeader(file(Buffer.from('short')))).rejects.toThrow('it is too short for a GGUF file')
  await expect(readHeader(file(Buffer.from('PK\x03\x04'.padEnd(100))))).rejects.toThrow(
    'it is no GGUF file (it begins with "PK\\u0003\\u0004")',
  )
  await expect(readHeader(temporaryFolder())).rejects.toThrow('it is no file')
  const pipe = join(temporaryFolder(), 'pipe.gguf')
  await runProgram({ argv: ['mkfifo', pipe], cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 5000 })
  await expect(readHeader(pipe), 'nobody writes into it').rejects.toThrow('it is no file')
  const old = modelBytes()
  old.writeUInt32LE(1, 4)
  await expect(readHeader(file(old))).rejects.toThrow('it is GGUF of version 1; versions 2 and 3 are supported')
})

it('refuses a file that was not copied whole', async () => {
  const whole = modelBytes()
  await expect(readHeader(file(whole.subarray(0, 2000)))).rejects.toThrow('it ends in the middle of its header')
  await expect(readHeader(file(whole.subarray(0, 60_000)))).rejects.toThrow('it ends before its last tensor; it was not copied whole')
})

it('refuses a header of garbage at once, whatever it promises', async () => {
  const many = modelBytes()
  many.writeBigUInt64LE(2n ** 62n, 8)
  await expect(readHeader(file(many))).rejects.toThrow('a number in its header makes no sense')
  many.writeBigUInt64LE(5_000_000n, 8)
  await expect(readHeader(file(many))).rejects.toThrow('its header promises 5000000 tensors, more than any model has')
  const garbage = Buffer.alloc(4 * 1024 * 1024, 0xa7)
  modelBytes().copy(garbage, 0, 0, 24)
  await expect(readHeader(file(garbage))).rejects.toThrow(/makes no sense|more than any model has/)
})
