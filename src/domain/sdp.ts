// What signaling must understand of a session description and of a candidate: that it is one, and its ICE generation.
import { createHash } from 'node:crypto'
import { AppError } from '../errors.js'
import type { Candidate } from '../schemas/signal.js'

export interface Description {
  readonly sdp: string
  /** ICE username fragments: one for a bundled session, else one for each media section (RFC 8839 section 5.4). */
  readonly ufrags: readonly string[]
  /** Tells a retry of the same description from another one. */
  readonly digest: string
}

const VERSION = /^v=0\r?\n/
const LINES = /^(?:[a-z]=[^\r\n]*\r?\n)+(?:[a-z]=[^\r\n]*)?$/
// RFC 8866 sections 5.2 and 5.14.
const ORIGIN = /^o=\S+ \d+ \d+ \S+ IP[46] \S+\r?$/m
const MEDIA = /^m=\w+ \d+(?:\/\d+)? [\w/-]+ \S/m
/** Stands in a media section, or once for the whole session (RFC 8839 section 5.4). */
const ICE_UFRAG = /^a=ice-ufrag:(\S+)\r?$/gm

/** @throws AppError invalid_sdp unless it is a description WebRTC can use (RFC 8866, RFC 8829 section 5.2.1). */
export function parseDescription(sdp: string): Description {
  if (!VERSION.test(sdp) || !LINES.test(sdp)) {
    throw new AppError('invalid_sdp', { detail: 'Every line must read <letter>=<value>, the first v=0' })
  }
  if (!ORIGIN.test(sdp) || !MEDIA.test(sdp)) {
    throw new AppError('invalid_sdp', { detail: 'It needs an o= line and at least one m= section' })
  }
  const ufrags = new Set<string>()
  for (const [, ufrag = ''] of sdp.matchAll(ICE_UFRAG)) ufrags.add(ufrag)
  if (ufrags.size === 0) throw new AppError('invalid_sdp', { detail: 'It has no a=ice-ufrag (RFC 8839 section 5.4)' })
  return { sdp, ufrags: [...ufrags], digest: createHash('sha1').update(sdp).digest('base64url') }
}

// RFC 8839 section 5.1: foundation, component, transport, priority, address, port, type; then pairs of extensions.
const CANDIDATE =
  /^(?:a=)?candidate:[A-Za-z0-9+/]{1,32} (\d{1,3}) [A-Za-z0-9-]{1,16} (\d{1,10}) [A-Za-z0-9.:%_-]{1,255} (\d{1,5}) typ [a-z]{1,16}(?: \S+ \S*)*$/
const UFRAG = / ufrag (\S+)/

/** @throws AppError invalid_candidate, naming which one of the batch. */
export function checkCandidates(candidates: readonly Candidate[]): void {
  candidates.forEach(({ candidate }, index) => {
    if (candidate === '') return // the end-of-candidates indication of one media section (W3C WebRTC, RTCIceCandidate)
    const [, component, priority, port] = CANDIDATE.exec(candidate) ?? []
    const plausible = Number(component) <= 256 && Number(priority) < 2 ** 32 && Number(port) <= 65535
    if (!plausible) {
      throw new AppError('invalid_candidate', { detail: `candidates[${index}] does not follow RFC 8839 section 5.1` })
    }
  })
}

/** The generation a candidate names, or null: then it belongs to the current one. */
export function ufragOf(candidate: Candidate): string | null {
  return candidate.usernameFragment || UFRAG.exec(candidate.candidate)?.[1] || null
}
