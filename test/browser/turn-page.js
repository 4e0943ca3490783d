// Two connections of one page, which have no way to each other but the TURN server.

/** Resolves to the types of the candidates that were gathered, and the codes of errors (RFC 8489 section 14.8), each once. */
globalThis.gather = async configuration => {
  const connection = new RTCPeerConnection(configuration)
  const [types, errors] = [new Set(), new Set()]
  connection.addEventListener('icecandidateerror', ({ errorCode }) => errors.add(errorCode))
  const gathered = new Promise(resolve => {
    connection.addEventListener('icecandidate', ({ candidate }) =>
      candidate?.candidate ? types.add(candidate.type) : resolve()
    )
  })
  connection.createDataChannel('data')
  await connection.setLocalDescription()
  await gathered
  connection.close()
  return { types: [...types], errors: [...errors] }
}

/** Resolves to what comes back over the data channel, and the types of the candidates that it goes through. */
globalThis.echo = async (callerConfiguration, calleeConfiguration, text) => {
  const [caller, callee] = [callerConfiguration, calleeConfiguration].map(each => new RTCPeerConnection(each))
  for (const [one, other] of [
    [caller, callee],
    [callee, caller]
  ])
    one.addEventListener('icecandidate', ({ candidate }) => candidate && other.addIceCandidate(candidate))
  callee.addEventListener('datachannel', ({ channel }) => {
    channel.onmessage = ({ data }) => channel.send(data)
  })
  const channel = caller.createDataChannel('data')
  const received = new Promise(resolve => {
    channel.onmessage = ({ data }) => resolve(data)
  })
  channel.onopen = () => channel.send(text)
  await caller.setLocalDescription()
  await callee.setRemoteDescription(caller.localDescription)
  await callee.setLocalDescription()
  await caller.setRemoteDescription(callee.localDescription)
  const data = await received
  const stats = new Map(await caller.getStats())
  const transport = [...stats.values()].find(({ type }) => type === 'transport')
  const pair = stats.get(transport.selectedCandidatePairId)
  const through = [pair.localCandidateId, pair.remoteCandidateId].map(id => stats.get(id).candidateType)
  for (const each of [caller, callee]) each.close()
  return { data, through }
}
