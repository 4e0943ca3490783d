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

async function exchange(connection, { url, token }) {
  await connection.setLocalDescription()
  const authorization = `Bearer ${token}`
  const headers = { authorization, 'content-type': 'application/sdp' }
  const reply = await fetch(url, { method: 'POST', headers, body: connection.localDescription.sdp })
  const sdp = await reply.text()
  if (reply.status !== 201) throw new Error(`${reply.status} ${sdp}`)
  await connection.setRemoteDescription({ type: 'answer', sdp })
  sessions.push({
    connection,
    authorization,
    url: reply.headers.get('location'),
    etag: reply.headers.get('etag'),
    answer: sdp
  })
  return sessions.length - 1
}

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

globalThis.view = request => {
  const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  for (const kind of request.kinds) connection.addTransceiver(kind, { direction: 'recvonly' })
  return exchange(connection, request)
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
