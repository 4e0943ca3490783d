// Runs in a page of a browser: connections of a publisher or viewer, by number.

const connections = []

/** A picture that changes, so that frames are encoded. */
function picture() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 })
  const context = canvas.getContext('2d')
  let hue = 0
  setInterval(() => {
    hue = (hue + 7) % 360
    context.fillStyle = `hsl(${hue} 80% 50%)`
    context.fillRect(0, 0, 640, 360)
  }, 40)
  return canvas.captureStream(25).getVideoTracks()[0]
}

const sound = () => new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]

const SCALES = [4, 2, 1]

/** @param plan `{ publishes: ['audio', 'video', 'simulcast'], views: ['audio', 'video'], data, both, bundlePolicy }` */
globalThis.makeOffer = async ({
  publishes = [],
  views = [],
  data = false,
  both = false,
  bundlePolicy = 'balanced'
}) => {
  const connection = new RTCPeerConnection({ bundlePolicy })
  const streams = [new MediaStream()]
  const direction = both ? 'sendrecv' : 'sendonly'
  for (const what of publishes) {
    const track = what === 'audio' ? sound() : picture()
    const sendEncodings =
      what === 'simulcast' ? SCALES.map((scale, i) => ({ rid: `r${i}`, scaleResolutionDownBy: scale })) : []
    connection.addTransceiver(track, { direction, streams, sendEncodings })
  }
  for (const kind of views) connection.addTransceiver(kind, { direction: 'recvonly' })
  if (data) connection.createDataChannel('x')
  await connection.setLocalDescription()
  connections.push(connection)
  return { number: connections.length - 1, sdp: connection.localDescription.sdp }
}

/** The directions that were negotiated, without those of rejected sections, or the message of the exception. */
globalThis.acceptAnswer = async ({ number, sdp }) => {
  const connection = connections[number]
  try {
    await connection.setRemoteDescription({ type: 'answer', sdp })
    return connection.getTransceivers().map(({ currentDirection }) => currentDirection)
  } catch (error) {
    return error.message
  } finally {
    connection.close()
  }
}
