import { z } from 'zod'
import { doctorCheck } from './doctor.ts'
import { operation } from './operation.ts'

export const doctorReport = operation({
  name: 'doctor.report',
  route: 'GET /api/v1/doctor/report',
  place: 'caller',
  summary: 'Makes a report for those who are asked for help: machine, settings, log, store, failed runs, without secrets and contents.',
  permission: 'system:read',
  who: 'user',
  effect: 'read',
  input: z.object({}),
  output: z.object({ report: z.string().describe('Markdown.') }),
  async handler(context, _input, signal) {
    const { makeReport } = await import('./report/report.ts')
    return { report: await makeReport(context, async () => (await doctorCheck.handler(context, { project: undefined }, signal)).checks) }
  },
})
