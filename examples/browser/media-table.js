// Shows who sends what to whom, from the statistics of the browser.
import { find } from './view.js'

const NAMES = { audio: 'microphone', video: 'camera', screen: 'screen' }
/** Bytes and time of each row when it was last shown, for its bitrate. */
let earlier = new Map()

/** `rows` are those of room-report.js, `nameOf(participantId)` the user of a participant. */
export function showMediaTable(rows, { mode, nameOf }) {
  find('media-path').textContent = mode === 'sfu' ? 'Through the media service' : 'Directly between the participants'
  const shown = new Map()
  const lines = rows.map(row => {
    const user = row.participantId ? nameOf(row.participantId) : 'media service'
    const [from, to] = row.isSent ? ['you', user] : [user, 'you']
    const what = row.source === 'screen' && row.kind === 'audio' ? 'sound of the screen' : NAMES[row.source]
    // Not by user: one may be in the room with two devices.
    const key = `${row.participantId} ${row.isSent} ${what}`
    const streams = summarize(row)
    shown.set(key, streams)
    return lineOf({
      from,
      to,
      what,
      frames: streams.frames,
      now: describe(row, streams, earlier.get(key))
    })
  })
  earlier = shown
  find('media').replaceChildren(...lines)
}

/** A track may be several streams, one for each layer: their bytes together, and the largest picture. */
function summarize({ isSent, source, kind = source, stats }) {
  const type = isSent ? 'outbound-rtp' : 'inbound-rtp'
  const streams = [...stats.values()].filter(each => each.type === type && each.kind === kind)
  const bytes = streams.reduce((sum, each) => sum + (isSent ? each.bytesSent : each.bytesReceived), 0)
  const largest = streams.sort((a, b) => (b.frameWidth ?? 0) - (a.frameWidth ?? 0))[0]
  const frames = isSent ? largest?.framesEncoded : largest?.framesDecoded
  return { bytes, at: performance.now(), frames: frames ?? 0, largest, layers: streams.length }
}

function describe({ isPaused, isSent }, { bytes, at, largest, layers }, before) {
  if (isPaused) return 'paused'
  const parts = []
  if (largest?.frameWidth)
    parts.push(`${largest.frameWidth}×${largest.frameHeight}, ${largest.framesPerSecond ?? 0} fps`)
  if (isSent && layers > 1) parts.push(`${layers} layers`)
  const limitedBy = largest?.qualityLimitationReason ?? 'none'
  if (limitedBy !== 'none') parts.push(`limited by ${limitedBy}`)
  // A connection that was made anew counts from 0 again.
  if (before && bytes >= before.bytes)
    parts.push(`${Math.round((8 * (bytes - before.bytes)) / (at - before.at))} kbit/s`)
  return parts.join(', ')
}

function lineOf({ from, to, what, now, frames }) {
  const line = document.createElement('tr')
  Object.assign(line.dataset, { from, to, what, frames })
  for (const text of [from, to, what, now])
    line.append(Object.assign(document.createElement('td'), { textContent: text }))
  return line
}
