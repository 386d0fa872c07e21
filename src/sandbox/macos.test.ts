import { expect, it } from 'vitest'
import type { BackendRequest } from './backend.ts'
import { createMacos } from './macos.ts'

it.skipIf(process.platform === 'darwin')('is there on macOS alone', async () => {
  expect(await createMacos({} as BackendRequest)).toEqual({ unavailable: 'sandbox-exec is a program of macOS.', improve: null })
})
