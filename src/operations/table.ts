import { auditList, auditVerify } from './audit.ts'
import { configShow, configValidate } from './config.ts'
import { costsReport } from './costs.ts'
import { demoRun } from './demo.ts'
import { doctorCheck } from './doctor.ts'
import { doctorReport } from './doctor-report.ts'
import { errorsExplain } from './errors.ts'
import { eventsWatch } from './events-watch.ts'
import { evidenceVerify } from './evidence.ts'
import { gatesRun } from './gates.ts'
import { keysAdd, keysList, keysRevoke } from './keys.ts'
import { modelsAdd, modelsList, modelsRemove } from './models.ts'
import { projectInit } from './project.ts'
import { providersList, providersReset, providersTest } from './providers.ts'
import { queueList } from './queue-list.ts'
import { queueRetry } from './queue-retry.ts'
import { queueDrain, queuePause, queueResume } from './queue-steer.ts'
import { rolesList } from './roles.ts'
import { runsDiagnose } from './runs-diagnose.ts'
import { runsDiff } from './runs-diff.ts'
import { runsClean, runsRescue } from './runs-keep.ts'
import { runsLand } from './runs-land.ts'
import { runsPrioritize } from './runs-prioritize.ts'
import { runsEvents, runsExplain, runsGet, runsList } from './runs-read.ts'
import { runsReplay } from './runs-replay.ts'
import { runsRestart } from './runs-restart.ts'
import { runsApprove, runsCancel, runsPause, runsReject, runsResume, runsSend } from './runs-signal.ts'
import { runsRetry, runsSubmit } from './runs-submit.ts'
import { runsWork } from './runs-work.ts'
import { scannerScan } from './scanner.ts'
import { stateBackup, stateRestore } from './state.ts'
import { projectTrust } from './trust.ts'
import { webhooksDeliveries, webhooksList, webhooksTest } from './webhooks/operations.ts'
import { workspaceRead, workspaceTree } from './workspace.ts'

/** Every verb that answers once. Nothing else is public. */
export const OPERATIONS = {
  'runs.submit': runsSubmit,
  'runs.retry': runsRetry,
  'runs.restart': runsRestart,
  'runs.replay': runsReplay,
  'runs.list': runsList,
  'runs.get': runsGet,
  'runs.explain': runsExplain,
  'runs.diagnose': runsDiagnose,
  'runs.cancel': runsCancel,
  'runs.pause': runsPause,
  'runs.resume': runsResume,
  'runs.approve': runsApprove,
  'runs.reject': runsReject,
  'runs.send': runsSend,
  'runs.prioritize': runsPrioritize,
  'runs.diff': runsDiff,
  'workspace.tree': workspaceTree,
  'workspace.read': workspaceRead,
  'runs.land': runsLand,
  'runs.rescue': runsRescue,
  'runs.clean': runsClean,
  'queue.list': queueList,
  'queue.pause': queuePause,
  'queue.resume': queueResume,
  'queue.drain': queueDrain,
  'queue.retry': queueRetry,
  'costs.report': costsReport,
  'evidence.verify': evidenceVerify,
  'project.init': projectInit,
  'project.trust': projectTrust,
  'doctor.check': doctorCheck,
  'doctor.report': doctorReport,
  'scanner.scan': scannerScan,
  'providers.list': providersList,
  'providers.test': providersTest,
  'providers.reset': providersReset,
  'roles.list': rolesList,
  'models.add': modelsAdd,
  'models.list': modelsList,
  'models.remove': modelsRemove,
  'config.show': configShow,
  'config.validate': configValidate,
  'errors.explain': errorsExplain,
  'keys.add': keysAdd,
  'keys.list': keysList,
  'keys.revoke': keysRevoke,
  'audit.list': auditList,
  'audit.verify': auditVerify,
  'webhooks.list': webhooksList,
  'webhooks.deliveries': webhooksDeliveries,
  'webhooks.test': webhooksTest,
  'state.backup': stateBackup,
  'state.restore': stateRestore,
} as const

/** Every verb that answers with events. */
export const STREAMS = {
  'runs.events': runsEvents,
  'events.watch': eventsWatch,
  'runs.work': runsWork,
  'gates.run': gatesRun,
  'demo.run': demoRun,
} as const

export type Operations = typeof OPERATIONS
export type Streams = typeof STREAMS
