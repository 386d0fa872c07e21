import type { Metrics } from './metrics.ts'

/** A request that was answered. */
export interface AnsweredRequest {
  method: string
  status: number
  /** `socket` or `tcp`. */
  via: string
  ms: number
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
const QUICK = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

/** Counts requests. Their paths are not told: they hold ids. */
export function measureRequests(metrics: Metrics): (request: AnsweredRequest) => void {
  const requests = metrics.counter('reeve_http_requests_total', 'Requests that were answered.')
  const duration = metrics.histogram('reeve_http_request_duration_seconds', 'Time until the answer of a request began.', QUICK)
  return ({ method, status, via, ms }) => {
    requests({ method: METHODS.has(method) ? method : 'other', status: String(status), via })
    duration({ via }, ms / 1000)
  }
}
