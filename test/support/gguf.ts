import { type GgufEntry, type GgufTensor, writeGguf } from './gguf-file.ts'

/**
 * Small real models, made in a moment. A scripted one answers any prompt with its text and stops: attention and feed-forward are zero, the
 * embedding of each token is a unit vector, and the output matrix leads from it to the token that comes next. Ask at temperature 0.
 */
export interface ScriptedModel {
  /** Tokens of context that the model says it was made for. */
  context?: number
  /** Begins again at its end, for ever. */
  loop?: boolean
  /** With a template that knows tools, so that servers read `<tool_call>{"name": …, "arguments": …}</tool_call>` as a call. */
  tools?: boolean
}

const CHATML = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`

const CHATML_TOOLS = [
  String.raw`{%- if tools %}{{ '<|im_start|>system\nTools: <tools>' }}{%- for tool in tools %}{{ tool | tojson }}{%- endfor %}`,
  String.raw`{{ '</tools>\nFor each call answer\n<tool_call>\n{"name": <name>, "arguments": <object>}\n</tool_call><|im_end|>\n' }}{%- endif %}`,
  String.raw`{%- for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}{%- if message.content %}{{ message.content }}{%- endif %}`,
  String.raw`{%- if message.tool_calls %}{%- for call in message.tool_calls %}{{ '<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}`,
  String.raw`{{ (call.function.arguments | tojson) + '}\n</tool_call>' }}{%- endfor %}{%- endif %}{{ '<|im_end|>\n' }}{%- endfor %}`,
  String.raw`{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}`,
].join('')

/** How SentencePiece writes a blank. */
const BLANK = '\u2581'
/** A piece with this score is never built from a prompt: only the model says it. */
const NEVER = -1e6
const KINDS = { normal: 1, unknown: 2, control: 3, byte: 6 } as const

/** A model that always says `reply`. Given as pieces, all different, these are its tokens: function calling goes by their borders. */
export function writeScriptedModel(path: string, reply: string | readonly string[], options: ScriptedModel = {}): void {
  const pieces = typeof reply === 'string' ? piecesOf(reply) : reply
  if (new Set(pieces).size !== pieces.length) throw new Error('the pieces of a scripted model must all be different')
  if (/<\|im_(start|end)\|>/.test(pieces.join(''))) throw new Error('a scripted model cannot say the marks of its template')
  const vocabulary = baseVocabulary()
  const { end, tokens } = vocabulary
  const script = pieces.map((it) => {
    const known = tokens.indexOf(it.replaceAll(' ', BLANK))
    return known >= 0 ? known : vocabulary.add(it.replaceAll(' ', BLANK), KINDS.normal, NEVER)
  })
  const [first = end] = script
  // Whatever a prompt ends with, the script begins.
  const next = tokens.map(() => first)
  for (const [at, token] of script.entries()) next[token] = script[at + 1] ?? (options.loop ? first : end)

  const width = Math.ceil(tokens.length / 32) * 32
  const embedding = new Float32Array(width * tokens.length)
  const output = new Float32Array(width * tokens.length)
  for (const [token, following] of next.entries()) {
    embedding[token * width + token] = 1
    output[following * width + token] = 4
  }
  const shape = { name: 'scripted', context: options.context ?? 8192, width, layers: 1, inner: 32, heads: width / 32, kvHeads: 1 }
  const fill = (count: number, kind: 'norm' | 'weight') => new Float32Array(count).fill(kind === 'norm' ? 1 : 0)
  const template = options.tools ? CHATML_TOOLS : CHATML
  writeGguf(path, entriesOf(shape, vocabulary, template), tensorsOf(shape, embedding, output, fill))
}

/** A model of random weights, the same for the same seed: what it says is noise, with a grammar it is noise that fits. */
export function writeRandomModel(path: string, { seed = 1, context = 2048 }: { seed?: number; context?: number } = {}): void {
  const vocabulary = baseVocabulary()
  const count = vocabulary.tokens.length
  const shape = { name: 'random', context, width: 64, layers: 2, inner: 128, heads: 4, kvHeads: 2 }
  const random = randomFrom(seed)
  const gauss = () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random())
  const fill = (length: number, kind: 'norm' | 'weight') => Float32Array.from({ length }, () => (kind === 'norm' ? 1 : gauss() * 0.08))
  const weights = () => fill(shape.width * count, 'weight')
  writeGguf(path, entriesOf(shape, vocabulary, CHATML), tensorsOf(shape, weights(), weights(), fill))
}

/**
 * The text in pieces that are all different, so that a piece says which one comes next. None is so short that the tokenizer would find it in
 * a prompt: the script would begin in its middle.
 */
export function piecesOf(text: string, least = 8): string[] {
  const letters = Array.from(text)
  const pieces: string[] = []
  for (let from = 0; from < letters.length; ) {
    let to = Math.min(from + least, letters.length)
    const piece = () => letters.slice(from, to).join('')
    while (pieces.includes(piece()) && to < letters.length) to += 1
    pieces.push(piece())
    from = to
  }
  while (pieces.length > 1 && (Array.from(pieces.at(-1) ?? '').length < 3 || pieces.indexOf(pieces.at(-1) ?? '') < pieces.length - 1)) {
    const tail = pieces.pop() ?? ''
    pieces.push((pieces.pop() ?? '') + tail)
  }
  return pieces
}

interface Vocabulary {
  tokens: string[]
  scores: number[]
  kinds: number[]
  /** The token that ends an answer. */
  end: number
  add(token: string, kind: number, score: number): number
}

/** Bytes and printable characters, so that every text can be read, and the two marks of the template. */
function baseVocabulary(): Vocabulary {
  const it: Vocabulary = {
    tokens: [],
    scores: [],
    kinds: [],
    end: 0,
    add(token, kind, score) {
      it.kinds.push(kind)
      it.scores.push(score)
      return it.tokens.push(token) - 1
    },
  }
  it.add('<unk>', KINDS.unknown, 0)
  it.add('<s>', KINDS.control, 0)
  it.add('</s>', KINDS.control, 0)
  for (let byte = 0; byte < 256; byte++) it.add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, KINDS.byte, 0)
  it.add('<|im_start|>', KINDS.control, 0)
  it.end = it.add('<|im_end|>', KINDS.control, 0)
  it.add(BLANK, KINDS.normal, -1)
  for (let code = 33; code < 127; code++) it.add(String.fromCharCode(code), KINDS.normal, -1000 - code)
  return it
}

interface Shape {
  name: string
  context: number
  width: number
  layers: number
  inner: number
  heads: number
  kvHeads: number
}

function entriesOf(shape: Shape, { tokens, scores, kinds, end }: Vocabulary, template: string): GgufEntry[] {
  return [
    ['general.architecture', 'text', 'llama'],
    ['general.name', 'text', shape.name],
    ['general.file_type', 'u32', 0],
    ['llama.vocab_size', 'u32', tokens.length],
    ['llama.context_length', 'u32', shape.context],
    ['llama.embedding_length', 'u32', shape.width],
    ['llama.block_count', 'u32', shape.layers],
    ['llama.feed_forward_length', 'u32', shape.inner],
    ['llama.rope.dimension_count', 'u32', shape.width / shape.heads],
    ['llama.attention.head_count', 'u32', shape.heads],
    ['llama.attention.head_count_kv', 'u32', shape.kvHeads],
    ['llama.attention.layer_norm_rms_epsilon', 'f32', 1e-5],
    ['tokenizer.ggml.model', 'text', 'llama'],
    ['tokenizer.ggml.tokens', 'texts', tokens],
    ['tokenizer.ggml.scores', 'f32s', scores],
    ['tokenizer.ggml.token_type', 'i32s', kinds],
    ['tokenizer.ggml.bos_token_id', 'u32', 1],
    ['tokenizer.ggml.eos_token_id', 'u32', 2],
    ['tokenizer.ggml.eot_token_id', 'u32', end],
    ['tokenizer.ggml.unknown_token_id', 'u32', 0],
    ['tokenizer.ggml.add_bos_token', 'bool', true],
    ['tokenizer.ggml.add_eos_token', 'bool', false],
    ['tokenizer.ggml.add_space_prefix', 'bool', false],
    ['tokenizer.chat_template', 'text', template],
  ]
}

type Fill = (count: number, kind: 'norm' | 'weight') => Float32Array

function tensorsOf(shape: Shape, embedding: Float32Array, output: Float32Array, fill: Fill): GgufTensor[] {
  const { width, inner } = shape
  const kv = (width / shape.heads) * shape.kvHeads
  const words = embedding.length / width
  const weight = (name: string, ...dims: [number, number]): GgufTensor => ({ name, dims, data: fill(dims[0] * dims[1], 'weight') })
  const norm = (name: string): GgufTensor => ({ name, dims: [width], data: fill(width, 'norm') })
  const layers = Array.from({ length: shape.layers }, (_, at) => [
    norm(`blk.${at}.attn_norm.weight`),
    weight(`blk.${at}.attn_q.weight`, width, width),
    weight(`blk.${at}.attn_k.weight`, width, kv),
    weight(`blk.${at}.attn_v.weight`, width, kv),
    weight(`blk.${at}.attn_output.weight`, width, width),
    norm(`blk.${at}.ffn_norm.weight`),
    weight(`blk.${at}.ffn_gate.weight`, width, inner),
    weight(`blk.${at}.ffn_down.weight`, inner, width),
    weight(`blk.${at}.ffn_up.weight`, width, inner),
  ])
  return [
    { name: 'token_embd.weight', dims: [width, words], data: embedding },
    ...layers.flat(),
    norm('output_norm.weight'),
    { name: 'output.weight', dims: [width, words], data: output },
  ]
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
