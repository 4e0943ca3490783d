// Runs in a page of a browser: what its RTCPeerConnection accepts. Each function resolves to a verdict for each input: null, or the message of
// the exception.

globalThis.judgeOffers = async sdps => {
  const verdicts = []
  for (const sdp of sdps) {
    const connection = new RTCPeerConnection()
    verdicts.push(await verdictOf(connection.setRemoteDescription({ type: 'offer', sdp })))
    connection.close()
  }
  return verdicts
}

globalThis.judgeCandidates = async candidates => {
  const verdicts = []
  let connection = await connect()
  for (const [i, candidate] of candidates.entries()) {
    // Each candidate adds pairs, and each pair is checked.
    if (i % 50 === 49) {
      connection.close()
      connection = await connect()
    }
    verdicts.push(await verdictOf(connection.addIceCandidate(candidate)))
  }
  connection.close()
  return verdicts
}

const verdictOf = promise =>
  promise.then(
    () => null,
    error => error.message
  )

/** A connection whose one media section has the mid 0. */
async function connect() {
  const offerer = new RTCPeerConnection()
  offerer.createDataChannel('x')
  const connection = new RTCPeerConnection()
  await connection.setRemoteDescription(await offerer.createOffer())
  await connection.setLocalDescription()
  offerer.close()
  return connection
}
