import { createEventSource } from 'eventsource-client'
import { HEADERS, printEvent, printNote, printVersion, STREAM_URL, versionOf } from './lines.mjs'

printVersion(versionOf('eventsource-client'))
createEventSource({
  url: STREAM_URL,
  headers: HEADERS,
  onMessage: ({ event, id, data }) => printEvent(event, id, data),
  onDisconnect: () => printNote('disconnected'),
  onScheduleReconnect: ({ delay }) => printNote(`reconnects in ${delay} ms`)
})
