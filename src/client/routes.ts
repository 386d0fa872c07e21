// Made by scripts/reference.ts; change the operations, not this file.
import type { OperationName, StreamName } from './client.ts'

/** An operation over HTTP. `{field}` of the path is a field of its input; the others go where `fields` says. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  fields: 'query' | 'body'
  streams: boolean
  /** `caller`: the command line does it in its own process. */
  place: 'caller' | 'daemon'
  /** How a reader of a stream comes back: by the id of the last event, or by the last number of each of its runs. */
  resume: 'id' | 'runs' | null
}

/** All operations. A client knows them by this, so that it need not load what does them. */
export const ROUTES: Readonly<Record<OperationName | StreamName, Route>> = {
  'runs.submit': { method: 'POST', path: '/api/v1/runs', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.retry': { method: 'POST', path: '/api/v1/runs/{run}/retry', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.restart': { method: 'POST', path: '/api/v1/runs/{run}/restart', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.replay': { method: 'POST', path: '/api/v1/runs/{run}/replay', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.list': { method: 'GET', path: '/api/v1/runs', fields: 'query', streams: false, place: 'daemon', resume: null },
  'runs.get': { method: 'GET', path: '/api/v1/runs/{run}', fields: 'query', streams: false, place: 'daemon', resume: null },
  'runs.explain': { method: 'GET', path: '/api/v1/runs/{run}/decisions', fields: 'query', streams: false, place: 'daemon', resume: null },
  'runs.diagnose': { method: 'GET', path: '/api/v1/runs/{run}/diagnosis', fields: 'query', streams: false, place: 'daemon', resume: null },
  'runs.cancel': { method: 'POST', path: '/api/v1/runs/{run}/cancel', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.pause': { method: 'POST', path: '/api/v1/runs/{run}/pause', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.resume': { method: 'POST', path: '/api/v1/runs/resume', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.approve': { method: 'POST', path: '/api/v1/runs/{run}/approve', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.reject': { method: 'POST', path: '/api/v1/runs/{run}/reject', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.send': { method: 'POST', path: '/api/v1/runs/{run}/messages', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.prioritize': { method: 'PUT', path: '/api/v1/runs/{run}/priority', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.diff': { method: 'GET', path: '/api/v1/runs/{run}/diff', fields: 'query', streams: false, place: 'daemon', resume: null },
  'workspace.tree': { method: 'GET', path: '/api/v1/runs/{run}/files', fields: 'query', streams: false, place: 'daemon', resume: null },
  'workspace.read': { method: 'GET', path: '/api/v1/runs/{run}/file', fields: 'query', streams: false, place: 'daemon', resume: null },
  'runs.land': { method: 'POST', path: '/api/v1/runs/{run}/land', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.rescue': { method: 'POST', path: '/api/v1/runs/{run}/rescue', fields: 'body', streams: false, place: 'daemon', resume: null },
  'runs.clean': { method: 'POST', path: '/api/v1/runs/clean', fields: 'body', streams: false, place: 'daemon', resume: null },
  'queue.list': { method: 'GET', path: '/api/v1/queue', fields: 'query', streams: false, place: 'daemon', resume: null },
  'queue.pause': { method: 'POST', path: '/api/v1/queue/pause', fields: 'body', streams: false, place: 'daemon', resume: null },
  'queue.resume': { method: 'POST', path: '/api/v1/queue/resume', fields: 'body', streams: false, place: 'daemon', resume: null },
  'queue.drain': { method: 'POST', path: '/api/v1/queue/drain', fields: 'body', streams: false, place: 'daemon', resume: null },
  'queue.retry': { method: 'POST', path: '/api/v1/queue/retry', fields: 'body', streams: false, place: 'daemon', resume: null },
  'costs.report': { method: 'GET', path: '/api/v1/costs', fields: 'query', streams: false, place: 'daemon', resume: null },
  'evidence.verify': { method: 'POST', path: '/api/v1/runs/{run}/verify', fields: 'body', streams: false, place: 'daemon', resume: null },
  'project.init': { method: 'POST', path: '/api/v1/projects/init', fields: 'body', streams: false, place: 'caller', resume: null },
  'project.trust': { method: 'POST', path: '/api/v1/projects/trust', fields: 'body', streams: false, place: 'caller', resume: null },
  'doctor.check': { method: 'GET', path: '/api/v1/doctor', fields: 'query', streams: false, place: 'caller', resume: null },
  'doctor.report': { method: 'GET', path: '/api/v1/doctor/report', fields: 'query', streams: false, place: 'caller', resume: null },
  'scanner.scan': { method: 'GET', path: '/api/v1/projects/scan', fields: 'query', streams: false, place: 'caller', resume: null },
  'providers.list': { method: 'GET', path: '/api/v1/providers', fields: 'query', streams: false, place: 'daemon', resume: null },
  'providers.test': {
    method: 'POST',
    path: '/api/v1/providers/{provider}/test',
    fields: 'body',
    streams: false,
    place: 'daemon',
    resume: null,
  },
  'providers.reset': {
    method: 'POST',
    path: '/api/v1/providers/{provider}/reset',
    fields: 'body',
    streams: false,
    place: 'daemon',
    resume: null,
  },
  'roles.list': { method: 'GET', path: '/api/v1/roles', fields: 'query', streams: false, place: 'caller', resume: null },
  'models.add': { method: 'POST', path: '/api/v1/models', fields: 'body', streams: false, place: 'caller', resume: null },
  'models.list': { method: 'GET', path: '/api/v1/models', fields: 'query', streams: false, place: 'caller', resume: null },
  'models.remove': { method: 'DELETE', path: '/api/v1/models/{name}', fields: 'query', streams: false, place: 'caller', resume: null },
  'config.show': { method: 'GET', path: '/api/v1/config', fields: 'query', streams: false, place: 'caller', resume: null },
  'config.validate': { method: 'POST', path: '/api/v1/config/validate', fields: 'body', streams: false, place: 'caller', resume: null },
  'errors.explain': { method: 'GET', path: '/api/v1/errors/{code}', fields: 'query', streams: false, place: 'caller', resume: null },
  'keys.add': { method: 'POST', path: '/api/v1/keys', fields: 'body', streams: false, place: 'caller', resume: null },
  'keys.list': { method: 'GET', path: '/api/v1/keys', fields: 'query', streams: false, place: 'caller', resume: null },
  'keys.revoke': { method: 'DELETE', path: '/api/v1/keys/{key}', fields: 'query', streams: false, place: 'caller', resume: null },
  'audit.list': { method: 'GET', path: '/api/v1/audit', fields: 'query', streams: false, place: 'caller', resume: null },
  'audit.verify': { method: 'GET', path: '/api/v1/audit/verification', fields: 'query', streams: false, place: 'caller', resume: null },
  'webhooks.list': { method: 'GET', path: '/api/v1/webhooks', fields: 'query', streams: false, place: 'daemon', resume: null },
  'webhooks.deliveries': {
    method: 'GET',
    path: '/api/v1/webhooks/deliveries',
    fields: 'query',
    streams: false,
    place: 'daemon',
    resume: null,
  },
  'webhooks.test': {
    method: 'POST',
    path: '/api/v1/webhooks/{webhook}/test',
    fields: 'body',
    streams: false,
    place: 'daemon',
    resume: null,
  },
  'state.backup': { method: 'POST', path: '/api/v1/state/backup', fields: 'body', streams: false, place: 'daemon', resume: null },
  'state.restore': { method: 'POST', path: '/api/v1/state/restore', fields: 'body', streams: false, place: 'caller', resume: null },
  'runs.events': { method: 'GET', path: '/api/v1/runs/{run}/events', fields: 'query', streams: true, place: 'daemon', resume: 'id' },
  'events.watch': { method: 'GET', path: '/api/v1/events', fields: 'query', streams: true, place: 'daemon', resume: 'id' },
  'runs.work': { method: 'POST', path: '/api/v1/runs/work', fields: 'body', streams: true, place: 'daemon', resume: 'runs' },
  'gates.run': { method: 'POST', path: '/api/v1/gates/run', fields: 'body', streams: true, place: 'caller', resume: null },
  'demo.run': { method: 'POST', path: '/api/v1/demo', fields: 'body', streams: true, place: 'caller', resume: null },
}
