/** As much of node-llama-cpp as is used here. It is an optional package: its own types may not be there. */
export interface NodeLlamaCpp {
  getLlama(options: {
    gpu: false
    build: 'never'
    skipDownload: true
    progressLogs: false
    maxThreads: number
    logLevel: 'error'
    logger: (level: string, message: string) => void
  }): Promise<Llama>
  LlamaChat: new (options: { contextSequence: Sequence }) => Chat
}

export interface Llama {
  loadModel(options: { modelPath: string }): Promise<Model>
  createGrammar(options: { grammar: string }): Promise<unknown>
}

export interface Model {
  readonly tokenizer: unknown
  createContext(options: { contextSize: number; sequences: 1; threads: number }): Promise<{ contextSize: number; getSequence(): Sequence }>
}

export interface Sequence {
  tokenMeter: { getState(): { usedInputTokens: number; usedOutputTokens: number } }
}

export type ChatItem = { type: 'system' | 'user'; text: string } | { type: 'model'; response: string[] }

export interface Chat {
  chatWrapper: {
    generateContextState(options: { chatHistory: readonly ChatItem[] }): {
      contextText: { tokenize(tokenizer: unknown): readonly unknown[] }
    }
  }
  generateResponse(
    history: readonly ChatItem[],
    options: {
      onTextChunk: (text: string) => void
      signal: AbortSignal
      stopOnAbortSignal: true
      maxTokens: number
      temperature: number
      seed: number
      repeatPenalty: false
      grammar?: unknown
      contextShift: { strategy: () => never }
    },
  ): Promise<{ metadata: { stopReason: string } }>
}
