import { fetchEventSource } from '/node_modules/@microsoft/fetch-event-source/lib/esm/index.js'
import { sendEvent, sendNote, sendVersion, token, url } from './report.js'

await sendVersion('@microsoft/fetch-event-source')
await fetchEventSource(url, {
  headers: { authorization: `Bearer ${token}` },
  // Otherwise a hidden page closes the stream.
  openWhenHidden: true,
  onmessage: ({ event, id, data }) => sendEvent(event, id, data),
  onclose: () => sendNote('closed'),
  onerror: error => sendNote(error)
})
