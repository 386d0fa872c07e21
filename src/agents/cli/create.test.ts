import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plainWorkspace, runOnce, scriptProgram } from '../../../test/support/cli-agent.ts'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { systemClock } from '../../core/clock.ts'
import type { Json } from '../../core/json.ts'
import { NO_REDACTION } from '../../core/redact.ts'
import { settingsSchema } from '../../core/settings.ts'
import { createProgramAgent } from './create.ts'

function make(provider: { [key: string]: Json }, env: { [key: string]: string } = {}, home = temporaryFolder()) {
  const settings = settingsSchema.parse({ providers: { mine: provider } })
  const { mine } = settings.providers as unknown as { mine: Parameters<typeof createProgramAgent>[1] }
  return createProgramAgent('mine', mine, settings, { env: { PATH: home, ...env }, home, redaction: NO_REDACTION, clock: systemClock })
}

describe('an agent that is a program', () => {
  it.each([
    [{ kind: 'acp' }, 'providers.mine: An agent of kind "acp" needs binary.'],
    [{ kind: 'command' }, 'providers.mine: A provider of kind "command" needs binary.'],
    [{ kind: 'claude', mode: 'acp' }, 'providers.mine: claude does not speak the Agent Client Protocol (mode = "acp").'],
  ])('is not made of %j', async (provider, problem) => {
    await expect(make(provider)).rejects.toThrow(problem)
  })

  it('that is not installed fails when it is asked, so that another one takes over', async () => {
    const agent = await make({ kind: 'claude' }, { ANTHROPIC_API_KEY: 'k' })
    const { result } = await runOnce(agent, plainWorkspace({}))
    expect(result).toMatchObject({
      status: 'failed',
      class: 'config',
      problem: 'There is no program "claude" on the search path. Install it, or name it: providers.mine.binary',
    })
  })

  it('that nobody is logged in with fails when it is asked, and does not begin', async () => {
    const binary = scriptProgram('[ "$1" = --version ] && { echo 1.2.3; exit; }; [ "$1" = auth ] && exit 1; echo begun > begun.txt')
    const place = plainWorkspace({})
    const { result } = await runOnce(await make({ kind: 'claude', binary, login: true }), place)
    expect(result).toMatchObject({ status: 'failed', class: 'auth', problem: `Nobody is logged in. Log in with it once: ${binary}` })
    expect(place.files()['begun.txt']).toBeUndefined()
  })

  it('that has a key is not asked whether somebody is logged in', async () => {
    const binary = scriptProgram('[ "$1" = --version ] && { echo 1.2.3; exit; }; [ "$1" = auth ] && echo asked > "$HOME/asked.txt"; exit 0')
    const home = temporaryFolder()
    await make({ kind: 'claude', binary }, { ANTHROPIC_API_KEY: 'k' }, home)
    expect(existsSync(join(home, 'asked.txt'))).toBe(false)
    await make({ kind: 'claude', binary, login: true }, {}, home)
    expect(existsSync(join(home, 'asked.txt'))).toBe(true)
  })

  it('is any command that its settings describe', async () => {
    const binary = scriptProgram('echo "$@" >> started.txt; cat > prompt.txt; echo "I did it."')
    const place = plainWorkspace({})
    const { result, events } = await runOnce(await make({ kind: 'command', binary }), place)
    expect(result).toMatchObject({ status: 'completed', text: 'I did it.' })
    expect(events[0]).toMatchObject({ type: 'started', program: binary, version: null })
    expect(place.files()['started.txt'], 'it is started once, to work').toBe('\n')
  })

  it('reaches a server whose address is named by the proxy only', async () => {
    const script = 'echo "$OPENAI_BASE_URL $OPENAI_API_KEY" > said.txt'
    const place = plainWorkspace({})
    const settings = { kind: 'command', binary: scriptProgram(script), base_url: 'http://127.0.0.1:9/v1', api_key_env: 'MY_KEY' }
    await runOnce(await make(settings, { MY_KEY: 'the-real-key' }), place)
    expect(place.files()['said.txt']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1 reeve-\w+\n$/)
  })
})
