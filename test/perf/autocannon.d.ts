/** The part of autocannon that is used here: it comes without types. */
declare module 'autocannon' {
  interface Request {
    method: string
    path: string
    headers: Record<string, string>
    body?: string
  }
  interface Options {
    url: string
    connections: number
    /** Seconds. */
    duration: number
    headers?: Record<string, string>
    requests?: { method?: string; path?: string; headers?: Record<string, string>; setupRequest?: (request: Request) => Request }[]
  }
  interface Result {
    requests: { total: number }
    '2xx': number
    non2xx: number
    errors: number
    timeouts: number
    /** Seconds. */
    duration: number
  }
  export default function autocannon(options: Options): Promise<Result>
}
