import { writeFileSync } from 'node:fs'

/** A metadata entry of a GGUF file; the type is the file's own, not JavaScript's. */
export type GgufEntry =
  | readonly [key: string, type: 'u32' | 'f32', value: number]
  | readonly [key: string, type: 'bool', value: boolean]
  | readonly [key: string, type: 'text', value: string]
  | readonly [key: string, type: 'texts', value: readonly string[]]
  | readonly [key: string, type: 'f32s' | 'i32s', value: readonly number[]]

/** Values of 32 bit; the first dimension is the one that lies together. */
export interface GgufTensor {
  name: string
  dims: readonly number[]
  data: Float32Array
}

const TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9 } as const
const ALIGNMENT = 32

/** Writes a GGUF file, version 3. */
export function writeGguf(path: string, entries: readonly GgufEntry[], tensors: readonly GgufTensor[]): void {
  const head = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length), ...entries.flatMap(entryBytes)]
  let offset = 0
  for (const { name, dims, data } of tensors) {
    // The last two: type (0 is a float of 32 bit) and where its values begin.
    head.push(text(name), u32(dims.length), ...dims.map(u64), u32(0), u64(offset))
    offset += padded(data.byteLength)
  }
  const header = Buffer.concat(head)
  const body = tensors.flatMap(({ data }) => [
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    Buffer.alloc(padded(data.byteLength) - data.byteLength),
  ])
  writeFileSync(path, Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length), ...body]))
}

function entryBytes([key, type, value]: GgufEntry): Buffer[] {
  const name = text(key)
  switch (type) {
    case 'u32':
      return [name, u32(TYPES.u32), u32(value)]
    case 'f32':
      return [name, u32(TYPES.f32), f32(value)]
    case 'bool':
      return [name, u32(TYPES.bool), Buffer.from([value ? 1 : 0])]
    case 'text':
      return [name, u32(TYPES.text), text(value)]
    case 'texts':
      return [name, u32(TYPES.list), u32(TYPES.text), u64(value.length), ...value.map(text)]
    case 'f32s':
      return [name, u32(TYPES.list), u32(TYPES.f32), u64(value.length), ...value.map(f32)]
    default:
      return [name, u32(TYPES.list), u32(TYPES.i32), u64(value.length), ...value.map(u32)]
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}
