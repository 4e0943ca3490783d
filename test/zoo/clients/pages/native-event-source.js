// It cannot set headers: `url` has a ticket.
import { sendEvent, sendNote, sendVersion, types, url } from './report.js'

await sendVersion()
const source = new EventSource(url)
for (const type of types) source.addEventListener(type, ({ data, lastEventId }) => sendEvent(type, lastEventId, data))
source.addEventListener('error', () => sendNote(`error in state ${source.readyState}`))
