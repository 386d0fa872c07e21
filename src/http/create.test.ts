import { describe, expect, it } from 'vitest'
import { TOY_FILES } from '../../test/support/app.ts'
import { testHttp } from '../../test/support/http.ts'
import { makeRepository } from '../../test/support/repository.ts'

describe('operations', () => {
  it('answers an operation with its output, by fields of the path, the query and the body', async () => {
    const project = makeRepository(TOY_FILES)
    const { ask } = testHttp()
    const submitted = await ask('POST /api/v1/runs', { project, sentence: 'Do it', workflow: 'fine' })
    expect(submitted.status, await submitted.clone().text()).toBe(200)
    const { runs } = (await submitted.json()) as { runs: { id: string }[] }
    const listed = await ask(`GET /api/v1/runs?all=true&limit=5&status=queued&status=running`)
    expect(await listed.json()).toMatchObject({ runs: [{ id: runs[0]?.id, status: 'queued' }] })
    const one = await ask(`GET /api/v1/runs/${runs[0]?.id}`)
    expect(await one.json()).toMatchObject({ id: runs[0]?.id, status: 'queued' })
  })

  it('tells an error as a problem with its code, its sentence and its hint', async () => {
    const { ask } = testHttp()
    const answer = await ask('GET /api/v1/runs/nothing')
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toEqual({
      type: 'urn:reeve:error:run_not_found',
      title: 'run not found',
      status: 404,
      code: 'run_not_found',
      detail: 'No run "nothing".',
      hint: 'List runs with: reeve ls',
      details: { run: 'nothing' },
    })
  })
})
