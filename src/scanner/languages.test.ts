import { expect, it } from 'vitest'
import { extensionOf, grammarOf, languageOf } from './languages.ts'

it('knows a language by extension, in any case', () => {
  expect(languageOf('src/a.TS')?.name).toBe('TypeScript')
  expect(languageOf('größe/ä.py')?.name).toBe('Python')
  expect(languageOf('a.unknown')).toBeUndefined()
})

it('knows a language by the name of the file', () => {
  expect(languageOf('Makefile')?.name).toBe('Makefile')
  expect(languageOf('sub/CMakeLists.txt')?.name).toBe('CMake')
  expect(languageOf('Gemfile')?.name).toBe('Ruby')
  expect(languageOf('Dockerfile.dev')?.name).toBe('Dockerfile')
})

it('knows a language by the program of its #! line', () => {
  expect(languageOf('bin/x', '#!/bin/sh\n')?.name).toBe('Shell')
  expect(languageOf('bin/x', '#!/usr/bin/env python3.12\n')?.name).toBe('Python')
  expect(languageOf('bin/x', '#!/usr/bin/env -S node --no-warnings\n')?.name).toBe('JavaScript')
  expect(languageOf('bin/x', '#!/usr/bin/env A=1 ruby\n')?.name).toBe('Ruby')
  expect(languageOf('bin/x', 'plain text')).toBeUndefined()
})

it('tells a C++ header from a C header by its text', () => {
  expect(languageOf('a.h', '#include <stdio.h>\nint f(void);\n')?.name).toBe('C')
  expect(languageOf('a.h', '#include <vector>\nint f();\n')?.name).toBe('C++')
  expect(languageOf('a.h', 'namespace a {\n}\n')?.name).toBe('C++')
  expect(languageOf('a.h', 'class A {\n};\n')?.name).toBe('C++')
})

it('says which grammar reads a file, and when there is none', () => {
  expect(grammarOf('a.tsx')).toBe('tsx')
  expect(grammarOf('a.jsx')).toBe('javascript')
  expect(grammarOf('a.exs')).toBe('elixir')
  expect(grammarOf('a.kt')).toBeUndefined()
  expect(grammarOf('README.md')).toBeUndefined()
})

it('takes the extension from the file name only', () => {
  expect(extensionOf('a.b/c')).toBe('')
  expect(extensionOf('.gitignore')).toBe('')
  expect(extensionOf('a/b.tar.gz')).toBe('gz')
})
