// What one side sends over an RTCPeerConnection, also over the next one when the other side has replaced its own.

/** A track and how it is sent. After a change it is given to `send` again. A Publication is one. */
export interface Sendable {
  readonly track: MediaStreamTrack
  readonly isPaused?: boolean
  readonly isClosed?: boolean
  /** The first one is used. */
  readonly encodings?: readonly RTCRtpEncodingParameters[]
}

export class Senders {
  #connection: RTCPeerConnection | null = null
  #isHeld = false
  readonly #streams = new Map<Sendable, MediaStream>()
  readonly #senders = new Map<Sendable, RTCRtpSender>()
  readonly #directions = new Map<RTCRtpTransceiver, RTCRtpTransceiverDirection>()

  /** Adds everything to the connection, unless that is done. */
  begin(connection: RTCPeerConnection): void {
    if (connection === this.#connection) return
    this.#connection = connection
    for (const [each, stream] of this.#streams) this.#add(connection, each, stream)
    this.#directions.clear()
    if (this.#isHeld) this.hold(true)
  }

  /** Adds it, or makes what is sent follow it. */
  send(sendable: Sendable, stream: MediaStream): void {
    const sender = this.#senders.get(sendable)
    if (sendable.isClosed) this.#stop(sendable)
    else if (sender) void sender.replaceTrack(sendable.isPaused ? null : sendable.track)
    else {
      this.#streams.set(sendable, stream)
      if (this.#connection) this.#add(this.#connection, sendable, stream)
    }
  }

  #add(connection: RTCPeerConnection, sendable: Sendable, stream: MediaStream): void {
    const { track, encodings, isPaused } = sendable
    const sender = connection.addTrack(track, stream)
    this.#senders.set(sendable, sender)
    if (encodings?.[0]) {
      const parameters = sender.getParameters()
      for (const each of parameters.encodings) Object.assign(each, encodings[0])
      // Without it the picture is larger than wanted.
      sender.setParameters(parameters).catch(() => {})
    }
    if (isPaused) void sender.replaceTrack(null)
  }

  #stop(sendable: Sendable): void {
    const sender = this.#senders.get(sendable)
    this.#streams.delete(sendable)
    this.#senders.delete(sendable)
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
