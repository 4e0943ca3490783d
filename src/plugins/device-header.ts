// The header X-Device-Id. HTTP carries bytes: Node reads a header value as Latin-1, browsers send only Latin-1, and spaces at the ends are
// lost. So the value is the id in UTF-8, percent-encoded as in a path where that is needed: `%` itself, spaces at the ends, and in browsers
// everything beyond ASCII. docs/decisions/0032-ids.md
import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.js'

const NAME = 'x-device-id'
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined: there is no such header. @throws AppError invalid_subject */
export function deviceInHeader(request: IncomingMessage): string | undefined {
  const value = request.headers[NAME] as string | undefined
  if (value === undefined) return undefined
  // Node joins repeated headers with a comma and a space, which one id may contain too.
  if (value.includes(', ') && (request.headersDistinct[NAME]?.length ?? 0) > 1) throw refusal('must be given once')
  return /[%\x80-\xff]/.test(value) ? decode(value) : value
}

function decode(latin1: string): string {
  try {
    return decodeURIComponent(UTF_8.decode(Buffer.from(latin1, 'latin1')))
  } catch {
    throw refusal('must be UTF-8, percent-encoded where necessary: a percent sign is %25')
  }
}

const refusal = (must: string) => new AppError('invalid_subject', { detail: `The header X-Device-Id ${must}` })
