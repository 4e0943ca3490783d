// It resumes with `?lastEventId=`.
import '/node_modules/event-source-polyfill/src/eventsource.js'
import { sendEvent, sendNote, sendVersion, token, types, url } from './report.js'

await sendVersion('event-source-polyfill')
const source = new window.EventSourcePolyfill(url, { headers: { authorization: `Bearer ${token}` } })
for (const type of types) source.addEventListener(type, ({ data, lastEventId }) => sendEvent(type, lastEventId, data))
source.addEventListener('error', ({ error }) => sendNote(error))
