import { EventSource } from 'eventsource'
import { EVENT_TYPES, HEADERS, printEvent, printNote, printVersion, STREAM_URL, versionOf } from './lines.mjs'

printVersion(versionOf('eventsource'))
const source = new EventSource(STREAM_URL, {
  fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...HEADERS } })
})
for (const type of EVENT_TYPES.split(',')) {
  source.addEventListener(type, ({ data, lastEventId }) => printEvent(type, lastEventId, data))
}
source.addEventListener('error', ({ message, code }) => printNote(`error ${code}: ${message}`))
