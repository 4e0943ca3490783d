// Runs in a page of a browser: plain RTCPeerConnections that publish by WHIP and view by WHEP. Each has a number.

const sessions = []

/** A picture that changes, so that frames are encoded, and a tone. */
function fakeMedia() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 })
  const context = canvas.getContext('2d')
  let hue = 0
  setInterval(() => {
    hue = (hue + 7) % 360
    context.fillStyle = `hsl(${hue} 80% 50%)`
    context.fillRect(0, 0, 320, 240)
  }, 40)
  const audio = new AudioContext()
  const tone = audio.createOscillator()
  const destination = audio.createMediaStreamDestination()
  tone.connect(destination)
  tone.start()
  return new MediaStream([...destination.stream.getTracks(), ...canvas.captureStream(25).getTracks()])
}

const IDS = {
  'urn:ietf:params:rtp-hdrext:sdes:mid': 1,
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time': 4,
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01': 5
}

/** As docs/guides/whip.md has it. */
async function offerWithMediasoupIds(connection) {
  const { sdp } = await connection.createOffer()
  const withIds = sdp.replace(/^a=extmap:\d+ (\S+)\r\n/gm, (_, uri) =>
    IDS[uri] ? `a=extmap:${IDS[uri]} ${uri}\r\n` : ''
  )
  await connection.setLocalDescription({ type: 'offer', sdp: withIds })
}

/** Posts the offer to the endpoint, and keeps the session. */
async function post(connection, { url, token, mediasoupIds }) {
  if (mediasoupIds) await offerWithMediasoupIds(connection)
  else await connection.setLocalDescription()
  const authorization = `Bearer ${token}`
  const headers = { authorization, 'content-type': 'application/sdp' }
  const reply = await fetch(url, { method: 'POST', headers, body: connection.localDescription.sdp })
  const sdp = await reply.text()
  if (reply.status !== 201) throw new Error(`${reply.status} ${sdp}`)
  sessions.push({
    connection,
    authorization,
    url: reply.headers.get('location'),
    etag: reply.headers.get('etag'),
    answer: sdp
  })
  return sessions.length - 1
}

async function exchange(connection, request) {
  const number = await post(connection, request)
  await globalThis.accept({ number, sdp: sessions[number].answer })
  return number
}

globalThis.accept = ({ number, sdp }) => sessions[number].connection.setRemoteDescription({ type: 'answer', sdp })

globalThis.publish = request => {
  const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  const stream = fakeMedia()
  for (const track of stream.getTracks()) {
    const sendEncodings =
      request.simulcast && track.kind === 'video' ? [{ rid: 'h', scaleResolutionDownBy: 2 }, { rid: 'f' }] : []
    connection.addTransceiver(track, { direction: 'sendonly', streams: [stream], sendEncodings })
  }
  return exchange(connection, request)
}

globalThis.view = async request => {
  const { number, answer } = await globalThis.requestView(request)
  await globalThis.accept({ number, sdp: answer })
  return number
}

/** As `view`, but the answer is not accepted yet. */
globalThis.requestView = async request => {
  const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  for (const kind of request.kinds) connection.addTransceiver(kind, { direction: 'recvonly' })
  const number = await post(connection, request)
  return { number, answer: sessions[number].answer }
}

/** Of the video that is received. */
globalThis.videoStats = async number => {
  const stats = [...(await sessions[number].connection.getStats()).values()]
  return stats.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video') ?? null
}

/** What has been received so far: frames that were decoded, and packets of audio. */
globalThis.received = async number => {
  const stats = [...(await sessions[number].connection.getStats()).values()]
  const inbound = stats.filter(({ type }) => type === 'inbound-rtp')
  const sum = (kind, name) => inbound.reduce((all, each) => all + (each.kind === kind ? (each[name] ?? 0) : 0), 0)
  return { frames: sum('video', 'framesDecoded'), packets: sum('audio', 'packetsReceived') }
}

globalThis.stateOf = async number => sessions[number].connection.connectionState

/** ICE restart as RFC 9725 section 4.3.3 has it. Resolves to the remote ufrag that is used then. */
globalThis.restartIce = async number => {
  const session = sessions[number]
  const { connection, authorization } = session
  connection.restartIce()
  await connection.setLocalDescription()
  const lines = connection.localDescription.sdp.split('\r\n')
  const first = prefix => lines.find(line => line.startsWith(prefix))
  const body = ['m=', 'a=mid:', 'a=ice-ufrag:', 'a=ice-pwd:'].map(first).concat('').join('\r\n')
  const headers = { authorization, 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '*' }
  const reply = await fetch(session.url, { method: 'PATCH', headers, body })
  const fragment = await reply.text()
  if (reply.status !== 200) throw new Error(`${reply.status} ${fragment}`)
  session.etag = reply.headers.get('etag')
  const value = name => fragment.match(new RegExp(`a=${name}:(\\S+)`))[1]
  session.answer = session.answer
    .replace(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${value('ice-ufrag')}`)
    .replace(/a=ice-pwd:\S+/g, `a=ice-pwd:${value('ice-pwd')}`)
  await connection.setRemoteDescription({ type: 'answer', sdp: session.answer })
  return value('ice-ufrag')
}

globalThis.end = async number => {
  const { connection, url, authorization } = sessions[number]
  const { status } = await fetch(url, { method: 'DELETE', headers: { authorization } })
  connection.close()
  return status
}
