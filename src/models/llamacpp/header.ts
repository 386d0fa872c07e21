import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type ByteReader, byteReader } from './byte-reader.ts'

/** What a GGUF file says of its model. */
export interface GgufHeader {
  version: number
  /** Such as `llama` or `qwen3`; '' where it says none. */
  architecture: string
  /** The model's own name; '' where it has none. */
  name: string
  /** Tokens it was made for; null where it says nothing. */
  contextTokens: number | null
  parameters: number
  sizeBytes: number
}

// The words of large models take some 15 MiB; beyond this it is no header.
const MAX_HEADER_BYTES = 96 * 1024 * 1024
// The largest models have a few thousand tensors and a hundred keys.
const MAX_TENSORS = 100_000
const MAX_KEYS = 10_000
const MAX_ITEMS = 16_000_000
const MAX_NAME_BYTES = 65_535
const MAX_TEXT_BYTES = 16 * 1024 * 1024
const MAX_DIMENSIONS = 8
/** Bytes of one value, by the number of its type. */
const SIZES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
const TEXT = 8
const LIST = 9

/**
 * Reads the header of a GGUF file and looks whether it can be one at all: the engine itself reads some broken files without end. Throws an
 * `Error` whose message says what is wrong with the file.
 */
export async function readHeader(path: string): Promise<GgufHeader> {
  // A pipe would wait here for somebody who writes.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new Error('it is no file')
    return await parse(file, stat.size)
  } finally {
    await file.close()
  }
}

async function parse(file: FileHandle, sizeBytes: number): Promise<GgufHeader> {
  if (sizeBytes < 24) throw new Error('it is too short for a GGUF file')
  const reader = byteReader(file, MAX_HEADER_BYTES)
  const magic = (await reader.bytes(4)).toString('latin1')
  if (magic !== 'GGUF') throw new Error(`it is no GGUF file (it begins with ${JSON.stringify(magic)})`)
  const version = await reader.u32()
  if (version !== 2 && version !== 3) throw new Error(`it is GGUF of version ${version}; versions 2 and 3 are supported`)
  const tensors = sane(await reader.u64(), MAX_TENSORS, 'tensors')
  const keys = sane(await reader.u64(), MAX_KEYS, 'keys')

  const known = new Map<string, string | number>()
  for (let key = 0; key < keys; key++) {
    const name = await text(reader, MAX_NAME_BYTES)
    const value = await readValue(reader, await reader.u32(), 0)
    if (value !== null) known.set(name, value)
  }
  const { parameters, reach } = await readTensors(reader, tensors)
  if (reader.at() + reach > sizeBytes) throw new Error('it ends before its last tensor; it was not copied whole')

  const architecture = String(known.get('general.architecture') ?? '')
  const contextTokens = known.get(`${architecture}.context_length`)
  return {
    version,
    architecture,
    name: String(known.get('general.name') ?? ''),
    contextTokens: typeof contextTokens === 'number' && contextTokens > 0 ? contextTokens : null,
    parameters,
    sizeBytes,
  }
}

/** Text and whole numbers are kept, all else is skipped. */
async function readValue(reader: ByteReader, type: number, depth: number): Promise<string | number | null> {
  if (type === TEXT) return text(reader, MAX_TEXT_BYTES)
  if (type === LIST) {
    if (depth > 3) throw new Error('its lists are nested too deep')
    const of = await reader.u32()
    const count = sane(await reader.u64(), MAX_ITEMS, 'items in a list')
    const size = SIZES[of]
    if (size !== undefined) await reader.skip(size * count)
    else for (let item = 0; item < count; item++) await readValue(reader, of, depth + 1)
    return null
  }
  const size = SIZES[type]
  if (size === undefined) throw new Error(`a value in its header has the type ${type}, which is none`)
  if (type === 4) return reader.u32()
  if (type === 10) return reader.u64()
  await reader.skip(size)
  return null
}

/** `reach`: where the last tensor begins, from the end of the header. */
async function readTensors(reader: ByteReader, count: number): Promise<{ parameters: number; reach: number }> {
  let parameters = 0
  let reach = 0
  for (let tensor = 0; tensor < count; tensor++) {
    await text(reader, MAX_NAME_BYTES)
    const dimensions = sane(await reader.u32(), MAX_DIMENSIONS, 'dimensions of a tensor')
    let values = 1
    for (let dimension = 0; dimension < dimensions; dimension++) values *= await reader.u64()
    parameters += values
    await reader.u32() // how its values are written
    reach = Math.max(reach, await reader.u64())
  }
  return { parameters, reach }
}

async function text(reader: ByteReader, most: number): Promise<string> {
  const length = sane(await reader.u64(), most, 'bytes in a text')
  return (await reader.bytes(length)).toString('utf8')
}

function sane(count: number, most: number, what: string): number {
  if (count <= most) return count
  throw new Error(`its header promises ${count} ${what}, more than any model has`)
}
