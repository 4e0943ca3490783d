// The media of a call: what this side sends and receives.
import { Negotiator } from './negotiator.js'
import type { NegotiatorOptions } from './negotiator-options.js'

export interface MediaOptions {
  /** Tracks to send. They stay yours: stop them when the call has ended. */
  readonly media?: MediaStream | undefined
  /** Prepares each RTCPeerConnection of the call before its first offer or answer, for example adds a data channel. */
  readonly setup?: ((connection: RTCPeerConnection) => void) | undefined
  readonly rtc?: RTCConfiguration | undefined
}

/** True: muted. What is left out stays as it is. */
export interface Muted {
  readonly audio?: boolean | undefined
  readonly video?: boolean | undefined
}

type Callbacks = Omit<NegotiatorOptions, 'open'>

export class CallMedia {
  /** The media of the other side. Not a stream of the connection: those lose their tracks on hold, and are new after a reload. */
  readonly remote = globalThis.MediaStream ? new MediaStream() : null
  negotiator: Negotiator | null = null
  #connect: (() => RTCPeerConnection) | null = null
  #local: MediaStream | undefined
  #muted: Muted = {}

  /** `connect` creates a connection. */
  open(connect: () => RTCPeerConnection, { media, setup }: MediaOptions, callbacks: Callbacks): Negotiator {
    this.negotiator?.close()
    this.#connect = connect
    this.#local = media
    this.mute(this.#muted)
    const open = () => {
      for (const track of this.remote?.getTracks() ?? []) this.remote?.removeTrack(track)
      const connection = (this.#connect ?? connect)()
      setup?.(connection)
      return connection
    }
    this.negotiator = new Negotiator({ ...callbacks, open })
    for (const track of media?.getTracks() ?? []) this.negotiator.senders.send({ track }, media as MediaStream)
    return this.negotiator
  }

  /** The other side is another one: with a new connection, whose configuration `prepare` resolves to. `isFirst`: this side makes the first offer. */
  async renew(prepare: () => Promise<(() => RTCPeerConnection) | null>, isFirst: boolean): Promise<void> {
    const prepared = async () => {
      this.#connect = await prepare()
    }
    await this.negotiator?.renew(prepared, isFirst)
  }

  /** Returns what both have now, as the server takes it: whether they are sent. */
  mute(muted: Muted): object {
    this.#muted = { ...this.#muted, ...muted }
    const sends: Record<string, boolean> = {}
    for (const [kind, isMuted] of Object.entries(this.#muted)) {
      sends[kind] = !isMuted
      for (const track of this.#local?.getTracks() ?? []) if (track.kind === kind) track.enabled = !isMuted
    }
    return sends
  }

  close(): void {
    this.negotiator?.close()
    this.negotiator = null
  }
}
