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
  readonly #sent = new Map<Sendable, { readonly stream: MediaStream; readonly sender: RTCRtpSender | undefined }>()
  readonly #directions = new Map<RTCRtpTransceiver, RTCRtpTransceiverDirection>()

  /** The next connection sends and receives. */
  unhold(): void {
    this.#isHeld = false
  }

  /** Adds everything to the connection, unless that is done. */
  begin(connection: RTCPeerConnection): void {
    if (connection === this.#connection) return
    this.#connection = connection
    // What was replaced on the connection of before stays so.
    for (const [each, { stream, sender }] of this.#sent) this.#add(each, stream, sender?.track)
    this.#directions.clear()
    if (this.#isHeld) this.hold(true)
  }

  /** Adds it, or makes what is sent follow it. */
  send(sendable: Sendable, stream: MediaStream): void {
    const sender = this.#sent.get(sendable)?.sender
    if (sendable.isClosed) {
      this.#sent.delete(sendable)
      if (sender) this.#connection?.removeTrack(sender)
    } else if (sender) void sender.replaceTrack(sendable.isPaused ? null : sendable.track)
    else this.#add(sendable, stream)
  }

  #add(sendable: Sendable, stream: MediaStream, before: MediaStreamTrack | null = null): void {
    const { track, encodings, isPaused } = sendable
    const sender = this.#connection?.addTrack(before ?? track, stream)
    this.#sent.set(sendable, { stream, sender })
    if (!sender) return
    if (encodings?.[0]) {
      const parameters = sender.getParameters()
      for (const each of parameters.encodings) Object.assign(each, encodings[0])
      // Without it the picture is larger than wanted.
      sender.setParameters(parameters).catch(() => {})
    }
    if (isPaused) void sender.replaceTrack(null)
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
