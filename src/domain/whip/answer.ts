// The text of an answer (RFC 8829 section 5.3.1, RFC 9725 section 4.4). Payload types, ids of header extensions, mids and the order of the
// sections are those of the offer.

import type { MediaIceCandidate } from '../../schemas/sfu-transport.js'
import type { Offer } from './offer.js'
import type { DtlsFingerprint, RtcpFeedback, TransportDescription } from './rtp.js'
import { isMedia, type OfferedExtension, type Section } from './section.js'

export interface AnsweredCodec {
  readonly payloadType: number
  readonly name: string
  readonly clockRate: number
  readonly channels: number
  /** Of a=fmtp; null: none. */
  readonly format: string | null
  readonly feedback: readonly RtcpFeedback[]
}

export interface AnsweredSection {
  readonly direction: 'recvonly' | 'sendonly' | 'inactive'
  readonly codecs: readonly AnsweredCodec[]
  readonly extensions: readonly OfferedExtension[]
  /** Of simulcast, in the order of the offer. */
  readonly rids: readonly string[]
  /** Of a sending section: a=msid, a=ssrc-group and a=ssrc. */
  readonly streamLines: readonly string[]
}

export interface AnswerInput {
  readonly offer: Offer
  /** By the index of the section; all others are rejected. */
  readonly answered: ReadonlyMap<number, AnsweredSection>
  readonly transport: TransportDescription
  /** Decimal digits, for `o=` (RFC 8866 section 5.2). */
  readonly sessionNumber: string
}

export function writeAnswer({ answered: used, ...rest }: AnswerInput): string {
  const answered = withTagged(rest.offer, used)
  const input = { ...rest, answered }
  const { offer, sessionNumber } = input
  const mids = offer.sections.flatMap(({ index, mid }) => (answered.has(index) && mid !== null ? [mid] : []))
  const first = offer.sections.find(({ index }) => answered.has(index))?.index
  return lines([
    'v=0',
    `o=- ${sessionNumber} 1 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    ...(offer.isBundled ? [`a=group:BUNDLE ${mids.join(' ')}`] : []),
    ...(offer.mixesExtensions ? ['a=extmap-allow-mixed'] : []),
    'a=msid-semantic: WMS *',
    ...ICE_LINES,
    ...offer.sections.flatMap(section => {
      const answer = answered.get(section.index)
      if (answer === undefined) return rejectedLines(section, transportLines(input, false))
      return sectionLines(section, answer, transportLines(input, section.index === first))
    })
  ])
}

/**
 * Browsers that offer one transport for all sections drop it if the offerer-tagged section is rejected ("Failed to setup RTCP mux"), so that
 * one becomes inactive.
 */
function withTagged(offer: Offer, answered: AnswerInput['answered']): AnswerInput['answered'] {
  const tagged = offer.sections[offer.taggedIndex]
  const [codec] = tagged?.codecs ?? []
  if (tagged === undefined || codec === undefined || !isMedia(tagged) || tagged.isRejected) return answered
  if (answered.has(tagged.index) || answered.size === 0) return answered
  const inactive = { direction: 'inactive', extensions: [], rids: [], streamLines: [] } as const
  return new Map([...answered, [tagged.index, { ...inactive, codecs: [{ ...codec, feedback: [] }] }]])
}

/** The media server is ICE lite and sends all of its candidates with the answer. The same in answers and fragments (RFC 9725 section 4.3.3). */
export const ICE_LINES: readonly string[] = ['a=ice-lite', 'a=ice-options:trickle ice2']

export const lines = (all: readonly string[]): string => `${all.join('\r\n')}\r\n`

/** RFC 8829 section 5.3.1. webrtcbin of GStreamer wants the transport in every section. */
function rejectedLines({ type, protocol, formats, mid }: Section, transport: string[]): string[] {
  return [
    `m=${type} 0 ${protocol} ${formats.join(' ') || '0'}`,
    'c=IN IP4 0.0.0.0',
    ...transport,
    ...(mid === null ? [] : [`a=mid:${mid}`]),
    'a=inactive'
  ]
}

function sectionLines({ type, protocol, mid, media }: Section, answer: AnsweredSection, transport: string[]): string[] {
  const { codecs, extensions, rids } = answer
  return [
    `m=${type} 9 ${protocol} ${codecs.map(({ payloadType }) => payloadType).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    ...transport,
    ...(mid === null ? [] : [`a=mid:${mid}`]),
    ...extensions.map(({ id, uri, direction }) => `a=extmap:${id}${REVERSED[direction] ?? ''} ${uri}`),
    `a=${answer.direction}`,
    'a=rtcp-mux',
    'a=rtcp-mux-only',
    ...(media.rtcpRsize === undefined ? [] : ['a=rtcp-rsize']),
    ...codecs.flatMap(codec => codecLines(codec, type)),
    ...rids.map(rid => `a=rid:${rid} recv`),
    ...(rids.length === 0 ? [] : [`a=simulcast:recv ${rids.join(';')}`]),
    ...answer.streamLines
  ]
}

/** RFC 8285 section 5: the direction of the other side. */
const REVERSED: Readonly<Record<string, string>> = { sendonly: '/recvonly', recvonly: '/sendonly' }

function codecLines({ payloadType, name, clockRate, channels, format, feedback }: AnsweredCodec, type: string) {
  const suffix = type === 'audio' && channels > 1 ? `/${channels}` : ''
  return [
    `a=rtpmap:${payloadType} ${name}/${clockRate}${suffix}`,
    ...(format === null ? [] : [`a=fmtp:${payloadType} ${format}`]),
    ...feedback.map(
      ({ type: name, parameter }) => `a=rtcp-fb:${payloadType} ${name}${parameter ? ` ${parameter}` : ''}`
    )
  ]
}

/** In every section, as browsers do, because not all clients read them from the first one only. The candidates are of the transport. */
function transportLines({ offer, transport }: AnswerInput, isFirst: boolean): string[] {
  const { iceParameters, iceCandidates, dtlsParameters } = transport
  const { algorithm, value } = bestFingerprint(dtlsParameters.fingerprints)
  return [
    `a=ice-ufrag:${iceParameters.usernameFragment}`,
    `a=ice-pwd:${iceParameters.password}`,
    `a=fingerprint:${algorithm} ${value}`,
    `a=setup:${offer.dtlsParameters.role === 'client' ? 'passive' : 'active'}`,
    ...(isFirst ? candidateLines(iceCandidates) : [])
  ]
}

export function candidateLines(candidates: readonly MediaIceCandidate[]): string[] {
  return [
    ...candidates.map(({ foundation, protocol, priority, address, ip, port, type, tcpType }) => {
      const suffix = tcpType ? ` tcptype ${tcpType}` : ''
      return `a=candidate:${foundation} 1 ${protocol} ${priority} ${address ?? ip} ${port} typ ${type}${suffix}`
    }),
    'a=end-of-candidates'
  ]
}

/** All clients have SHA-256 (RFC 8827 section 6.5). */
function bestFingerprint(fingerprints: readonly DtlsFingerprint[]): DtlsFingerprint {
  const best = fingerprints.find(({ algorithm }) => algorithm === 'sha-256') ?? fingerprints.at(-1)
  if (best === undefined) throw new Error('The media service has given a transport without a fingerprint')
  return best
}
