// Validation of session descriptions, and their ICE generation.
import { createHash } from 'node:crypto'
import { AppError } from '../../errors.js'
import { SDP_MAX_BYTES } from '../../schemas/signal.js'

export interface Description {
  readonly sdp: string
  /** ICE username fragments: one for a bundled session, else one for each media section (RFC 8839 section 5.4). */
  readonly ufrags: readonly string[]
  /** SHA-1 of the text, to recognize a retry. */
  readonly digest: string
}

/** Far more media sections than any call has; each may have its own ICE credentials. */
const UFRAG_LINES_MAX = 64

const VERSION = /^v=0\r?\n/
const LINES = /^(?:[a-z]=[^\r\n]*\r?\n)+(?:[a-z]=[^\r\n]*)?$/
const LINE = /^[a-z]=[^\r]*\r?$/
// RFC 8866 sections 5.2 and 5.14.
const ORIGIN = /^o=\S+ \d+ \d+ \S+ IP[46] \S+\r?$/m
const MEDIA = /^m=\w+ \d+(?:\/\d+)? [\w/-]+ \S/m
/** In each media section, or once for the session (RFC 8839 section 5.4). */
const ICE_UFRAG = /^a=ice-ufrag:(\S+)\r?$/gm

/**
 * The regular expressions take time linear in the length of the text.
 * @throws AppError invalid_sdp if WebRTC cannot use it (RFC 8866, RFC 8829 section 5.2.1); too_large
 */
export function parseDescription(sdp: string): Description {
  if (Buffer.byteLength(sdp) > SDP_MAX_BYTES) {
    throw new AppError('too_large', { detail: `The session description is larger than ${SDP_MAX_BYTES} bytes` })
  }
  if (!VERSION.test(sdp)) throw invalidSdp('Line 1: the first line must be v=0 (RFC 8866 section 5.1)')
  if (!LINES.test(sdp)) throw invalidSdp(`Line ${brokenLineOf(sdp)}: a line must be <letter>=<value>`)
  if (!ORIGIN.test(sdp)) throw invalidSdp('It has no o= line as in RFC 8866 section 5.2')
  if (!MEDIA.test(sdp)) throw invalidSdp('It has no m= line as in RFC 8866 section 5.14')
  const digest = createHash('sha1').update(sdp).digest('base64url')
  return { sdp, ufrags: ufragsOf(sdp), digest }
}

function ufragsOf(sdp: string): string[] {
  const ufrags = new Set<string>()
  let lines = 0
  for (const { 1: ufrag = '', index } of sdp.matchAll(ICE_UFRAG)) {
    if (++lines > UFRAG_LINES_MAX) {
      const number = sdp.slice(0, index).split('\n').length
      throw invalidSdp(`Line ${number}: more than ${UFRAG_LINES_MAX} lines a=ice-ufrag`)
    }
    ufrags.add(ufrag)
  }
  if (ufrags.size === 0) throw invalidSdp('It has no a=ice-ufrag line (RFC 8839 section 5.4)')
  return [...ufrags]
}

const brokenLineOf = (sdp: string): number => sdp.split('\n').findIndex(line => !LINE.test(line)) + 1

const invalidSdp = (detail: string) => new AppError('invalid_sdp', { detail })
