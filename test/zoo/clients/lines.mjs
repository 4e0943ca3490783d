// What a client prints: a line of JSON for its version, for each event, and for what may explain a failure.
import { readFileSync } from 'node:fs'

export const { STREAM_URL = '', TOKEN = '', EVENT_TYPES = '' } = process.env

/** `Authorization`, for libraries that can set headers. */
export const HEADERS = { authorization: `Bearer ${TOKEN}` }

const print = line => process.stdout.write(`${JSON.stringify(line)}\n`)

export const printVersion = version => print({ version })
export const printNote = note => print({ note: String(note) })

/** `data` is the text of the event: each client of Signalpost parses it as JSON. */
export const printEvent = (event, id, data) => print({ event, id, data: JSON.parse(data) })

export function versionOf(library) {
  return JSON.parse(readFileSync(new URL(`../node_modules/${library}/package.json`, import.meta.url), 'utf8')).version
}
