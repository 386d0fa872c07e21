import { acceptedContent, inputRequired, type McpServer, MissingRequiredClientCapabilityError } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Workflow } from '../../src/engine/port.ts'
import type { Extend } from '../../src/mcp/server.ts'
import { createdTask, TASKS } from '../../src/mcp/tasks.ts'
import type { Call } from '../../src/mcp/tool.ts'

/** Runs that take as long as their task says, and end as their workflow says. */
export const TASK_WORKFLOWS: Readonly<Record<string, Workflow>> = {
  slow: async (run) => {
    const seconds = Number(/\d+/.exec(run.row.task.description)?.[0] ?? 0)
    await run.step({ name: 'wait', kind: 'scan', input: null }, async (step) => {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, seconds * 1000)
        step.signal.addEventListener('abort', () => {
          clearTimeout(timer)
          reject(step.signal.reason as Error)
        })
      })
      return null
    })
    return { status: 'succeeded', message: run.row.task.description }
  },
}

type CallOf = Parameters<Extend>[1]

/** Tools whose calls become tasks, as `ai_coder_run` does: each is a run of a workflow that takes no time. */
export function addTasks(server: McpServer, callOf: CallOf, project: string): void {
  const start = async (call: Call, workflow: string, sentence: string) => {
    const { runs } = await call.client.call('runs.submit', { sentence, workflow, project })
    const [run] = runs
    if (run === undefined) throw new Error('There is no run.')
    const plain = { content: [{ type: 'text' as const, text: sentence }] }
    return call.wantsTasks ? createdTask(call, run, plain) : plain
  }
  server.registerTool('greet', { description: 'Fixture: at once', inputSchema: z.object({ name: z.string() }) }, ({ name }) => ({
    content: [{ type: 'text', text: `Hello, ${name}!` }],
  }))
  const slow = z.object({ seconds: z.number().default(0), label: z.string().default('') })
  server.registerTool('slow_compute', { description: 'Fixture: a task', inputSchema: slow }, ({ seconds, label }, ctx) =>
    start(callOf(ctx), 'slow', `${seconds} seconds of ${label || 'nothing'}`),
  )
  server.registerTool(
    'confirm_delete',
    { description: 'Fixture: asks', inputSchema: z.object({ filename: z.string() }) },
    ({ filename }, ctx) => start(callOf(ctx), 'asks', `Delete ${filename}?`),
  )
  server.registerTool('failing_job', { description: 'Fixture: fails', inputSchema: z.object({}) }, (_, ctx) => {
    const call = callOf(ctx)
    if (!call.wantsTasks) throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } })
    return start(call, 'red', 'Fail')
  })
  const name = z.object({ name: z.string() })
  server.registerTool('test_tool_with_task', { description: 'Fixture: asks, then is a task', inputSchema: z.object({}) }, (_, ctx) => {
    const said = acceptedContent(ctx.mcpReq.inputResponses, 'user_name', name)
    if (said !== undefined) return start(callOf(ctx), 'slow', `Hello ${said.name}`)
    return inputRequired({ inputRequests: { user_name: inputRequired.elicit({ message: 'What is your name?', requestedSchema: name }) } })
  })
}
