// Finds participants who cannot be reached any more. A peer repeats ICE consent checks every 5 s or so (RFC 7675, section 5.1), so a connected
// transport that receives nothing for ICE_TIMEOUT_MS has lost its peer. mediasoup notices that by itself only since 3.14.
import { failTransport } from './transports.js'

const CHECKS_PER_TIMEOUT = 6

export class Contact {
  #sessions
  #timer
  #isChecking = false

  /** @param {import('./sessions.js').Sessions} sessions */
  constructor(sessions, timeoutMs) {
    this.#sessions = sessions
    this.#timer = setInterval(() => void this.#check(timeoutMs), Math.ceil(timeoutMs / CHECKS_PER_TIMEOUT))
  }

  close() {
    clearInterval(this.#timer)
  }

  async #check(timeoutMs) {
    if (this.#isChecking) return
    this.#isChecking = true
    for (const session of this.#sessions.all)
      for (const { id: participantId, transports } of [...session.participants.values()])
        for (const transport of transports.values)
          if (transport.contact && (await isLost(transport, timeoutMs)))
            failTransport(session, { participantId, transport }, 'ice_failed')
    this.#isChecking = false
  }
}

async function isLost(transport, timeoutMs) {
  try {
    const [{ bytesReceived }] = await transport.media.getStats()
    const { bytes, at } = transport.contact
    if (bytesReceived === bytes) return performance.now() - at >= timeoutMs
    transport.contact = { bytes: bytesReceived, at: performance.now() }
  } catch {
    // The transport was closed meanwhile.
  }
  return false
}
