// Requests and events of the wire as commands for a shell.
import type { WireEvent, WireRequest } from './wire.js'

interface CurlOptions {
  /** Null: the command reads it from the variable TOKEN. */
  readonly token: string | null
}

/** Of a browser, or of no interest in a shell. */
const LEFT_OUT = new Set(['accept', 'idempotency-key'])

export function curlOf(
  { method, url, headers, body }: Pick<WireRequest, 'method' | 'url' | 'headers' | 'body'>,
  { token }: CurlOptions
) {
  const isStream = headers.accept === 'text/event-stream'
  const lines = [`curl${isStream ? ' -N' : ''}${method === 'GET' ? '' : ` -X ${method}`} ${quote(url)}`]
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'authorization') lines.push(authorization(token ?? null))
    else if (!LEFT_OUT.has(name)) lines.push(`-H ${quote(`${name}: ${value}`)}`)
  }
  // Without --data-raw, a body that begins with @ would be the name of a file.
  if (body !== null) lines.push(`--data-raw ${quote(body)}`)
  return lines.join(' \\\n  ')
}

/** Reads the event again: a poll from the cursor before it. */
export function curlOfEvent(
  { after, data }: Pick<WireEvent, 'after' | 'data'>,
  request: WireRequest,
  options: CurlOptions
) {
  const cursor = after ?? (data as { cursor?: string }).cursor ?? ''
  const url = `${request.url.replace(/\/v1\/.*/, '')}/v1/events/poll?wait=0&cursor=${encodeURIComponent(cursor)}`
  const { authorization: token = '', 'x-device-id': device = '' } = request.headers
  return curlOf({ method: 'GET', url, headers: { authorization: token, 'x-device-id': device }, body: null }, options)
}

const authorization = (token: string | null) =>
  token === null ? '-H "Authorization: Bearer $TOKEN"' : `-H ${quote(`Authorization: Bearer ${token}`)}`

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

export const tokenIn = ({ headers }: WireRequest) => headers.authorization?.replace(/^Bearer /, '') ?? null
