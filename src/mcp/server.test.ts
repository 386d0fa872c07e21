import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { legacyHost, modernHost } from '../../test/support/mcp.ts'
import { makeRepository } from '../../test/support/repository.ts'

const NAMES = ['create', 'list', 'status', 'control', 'workspace', 'logs', 'run'].map((it) => `ai_coder_${it}`)

function product() {
  const project = makeRepository(TOY_FILES)
  return { project, client: testApp(project).open() }
}

it('lists the same tools in the same order in both eras, in less than 10 KB', async () => {
  const { client } = product()
  const legacy = await (await legacyHost(client)).listTools()
  const modern = await (await modernHost(client)).listTools()
  expect(legacy.tools.map((it) => it.name)).toEqual(NAMES)
  expect(modern.tools).toEqual(legacy.tools)
  const bytes = Buffer.byteLength(JSON.stringify(legacy.tools))
  expect(bytes, 'every host carries them in each prompt').toBeLessThan(10_000)
  for (const tool of legacy.tools) {
    expect(tool.outputSchema, tool.name).toMatchObject({ type: 'object' })
    expect(Object.keys(tool.annotations ?? {}).length, tool.name).toBeGreaterThan(0)
  }
})
