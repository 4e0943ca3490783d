// Offers of WHIP and WHEP clients, in the shape in which each stack writes them.
import { crlf, SHA_256 } from '../stack.js'

export interface WhipOffer {
  readonly name: string
  readonly sdp: string
}

export { crlf, SHA_256 }

/** Joins parts of a description that are lists of lines. */
export const sdpOf = (...parts: readonly string[]): string => crlf(parts.map(part => part.trim()).join('\n'))

/** RTX of a video codec. */
export const rtx = (payloadType: number, apt: number): string =>
  `a=rtpmap:${payloadType} rtx/90000\na=fmtp:${payloadType} apt=${apt}`

export const feedback = (payloadType: number, ...types: readonly string[]): string =>
  types.map(type => `a=rtcp-fb:${payloadType} ${type}`).join('\n')
