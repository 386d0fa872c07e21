import { expect, it } from 'vitest'
import { isPresent, needInWords } from './present.ts'
import { hasTools } from './tools.ts'

it('a test that needs an agent of its own is told how to get it', () => {
  expect(needInWords('the real claude')).toBe('the real claude: node scripts/install-tools.ts agents')
  expect(needInWords('the llama engine')).toBe('the llama engine: node scripts/install-tools.ts llama')
  expect(needInWords(['cargo', '--version'])).toBe('cargo')
  expect(isPresent('the real claude'), 'as the installed set says').toBe(hasTools('agents'))
  expect(isPresent('the real nobody'), 'which is no tool of ours').toBe(false)
})
