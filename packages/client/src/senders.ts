// What one side sends over an RTCPeerConnection, also over the next one when the other side has replaced its own.

export interface Sending {
  readonly track: MediaStreamTrack
  readonly stream: MediaStream
  readonly isPaused?: boolean
  readonly encoding?: RTCRtpEncodingParameters | undefined
}

export class Senders {
  #connection: RTCPeerConnection | null = null
  #isHeld = false
  /** By a key that names what is sent, whatever track it has at the moment. */
  readonly #sent = new Map<object, Sending & { sender?: RTCRtpSender }>()
  readonly #directions = new Map<RTCRtpTransceiver, RTCRtpTransceiverDirection>()

  /** Adds everything to the connection, unless that is done. */
  begin(connection: RTCPeerConnection): void {
    if (connection === this.#connection) return
    this.#connection = connection
    for (const [key, sending] of this.#sent) this.#add(connection, key, sending)
    this.#directions.clear()
    if (this.#isHeld) this.hold(true)
  }

  /** Adds it, or changes its track or whether it is paused. */
  send(key: object, sending: Sending): void {
    const sender = this.#sent.get(key)?.sender
    this.#sent.set(key, { ...sending, ...(sender && { sender }) })
    if (sender) void sender.replaceTrack(sending.isPaused ? null : sending.track)
    else if (this.#connection) this.#add(this.#connection, key, sending)
  }

  #add(connection: RTCPeerConnection, key: object, sending: Sending): void {
    const { track, stream, encoding, isPaused } = sending
    const sender = connection.addTrack(track, stream)
    this.#sent.set(key, { ...sending, sender })
    if (encoding) {
      const parameters = sender.getParameters()
      for (const each of parameters.encodings) Object.assign(each, encoding)
      // Without it the picture is larger than wanted.
      sender.setParameters(parameters).catch(() => {})
    }
    if (isPaused) void sender.replaceTrack(null)
  }

  stop(key: object): void {
    const sender = this.#sent.get(key)?.sender
    this.#sent.delete(key)
    if (sender) this.#connection?.removeTrack(sender)
  }

  /** Stops sending and receiving, or resumes what was there before. This fires negotiationneeded. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    for (const transceiver of this.#connection?.getTransceivers() ?? []) {
      const before = this.#directions.get(transceiver) ?? transceiver.direction
      if (isHeld) this.#directions.set(transceiver, before)
      transceiver.direction = isHeld ? 'inactive' : before
    }
    if (!isHeld) this.#directions.clear()
  }
}
