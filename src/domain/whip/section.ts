// One media section of an offer, read with sdp-transform. Its values are numbers where the text is one, so all are made text here.
import { type MediaDescription, parseParams, type SessionDescription } from 'sdp-transform'

import type { MediaKind } from '../../schemas/sfu-rtp.js'
import type { CodecParameters, RtcpFeedback } from './rtp.js'

export interface OfferedCodec {
  readonly payloadType: number
  /** Without the kind, as the offer spells it. */
  readonly name: string
  readonly clockRate: number
  /** Of audio; 1 by default. Of video it means nothing. */
  readonly channels: number
  /** Of a=fmtp, as the offer spells it; null: there is none. */
  readonly format: string | null
  readonly parameters: CodecParameters
  readonly feedback: readonly RtcpFeedback[]
}

export interface OfferedExtension {
  readonly id: number
  readonly uri: string
  /** As seen by the offerer. */
  readonly direction: string
}

export interface Section {
  /** In the offer, from 0. */
  readonly index: number
  readonly mid: string | null
  /** `audio`, `video`, `application` or any other word. */
  readonly type: string
  readonly protocol: string
  /** Of the m= line. */
  readonly formats: readonly string[]
  readonly isRejected: boolean
  readonly direction: string
  readonly codecs: readonly OfferedCodec[]
  readonly extensions: readonly OfferedExtension[]
  /** Rest of the section, as sdp-transform has read it. */
  readonly media: MediaDescription
}

/** For refusals: `Media section 2 (video, mid "1")`. */
export function nameOf({ index, type, mid }: Pick<Section, 'index' | 'type' | 'mid'>): string {
  return `Media section ${index + 1} (${type}${mid === null ? '' : `, mid "${mid}"`})`
}

export const isMedia = ({ type }: Section): boolean => type === 'audio' || type === 'video'

export const kindOf = ({ type }: Section): MediaKind => (type === 'audio' ? 'audio' : 'video')

export function readSection(session: SessionDescription, media: MediaDescription, index: number): Section {
  const formats = String(media.payloads ?? '')
    .split(' ')
    .filter(format => format !== '')
  return {
    index,
    mid: media.mid === undefined ? null : String(media.mid),
    type: String(media.type),
    protocol: String(media.protocol),
    formats,
    // A bundle-only section has port 0 too (RFC 8843 section 6).
    isRejected: media.port === 0 && media.bundleOnly === undefined,
    direction: String(media.direction ?? session.direction ?? 'sendrecv'),
    // At most 128: there are no more payload types.
    codecs: [...new Set(formats)].flatMap(format => readCodec(media, format)),
    extensions: [...(session.ext ?? []), ...(media.ext ?? [])].flatMap(readExtension),
    media
  }
}

/** Payload types that may stand without a=rtpmap (RFC 3551 section 6). */
const STATIC: Readonly<Record<number, readonly [name: string, clockRate: number]>> = {
  0: ['PCMU', 8000],
  8: ['PCMA', 8000],
  9: ['G722', 8000]
}

/** With rtcp-mux, packets of these payload types are taken for RTCP (RFC 5761 section 4). */
const RTCP_TYPES = new Set(Array.from({ length: 32 }, (_, i) => 64 + i))

function readCodec(media: MediaDescription, format: string): OfferedCodec[] {
  const payloadType = Number(format)
  if (!/^\d{1,3}$/.test(format) || payloadType > 127 || RTCP_TYPES.has(payloadType)) return []
  const map = media.rtp.find(each => each.payload === payloadType)
  const name = map?.codec ?? STATIC[payloadType]?.[0]
  const clockRate = Number(map?.rate ?? STATIC[payloadType]?.[1])
  const channels = channelsOf(map)
  if (name === undefined || !(clockRate > 0) || !(channels > 0)) return []
  const config = media.fmtp.find(each => each.payload === payloadType)?.config
  const parsed = config === undefined ? {} : parseParams(String(config))
  return [
    {
      payloadType,
      name: String(name),
      clockRate,
      channels,
      format: config === undefined ? null : String(config),
      parameters: Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, value ?? ''])),
      feedback: readFeedback(media, payloadType)
    }
  ]
}

/** Opus has two (RFC 7587 section 4.1). whepclientsrc of GStreamer leaves them out. */
function channelsOf(map: MediaDescription['rtp'][number] | undefined): number {
  // The parser leaves the name out of a line that has none.
  const isOpus = String(map?.codec).toLowerCase() === 'opus'
  return Number(map?.encoding ?? (isOpus ? 2 : 1))
}

function readFeedback(media: MediaDescription, payloadType: number): RtcpFeedback[] {
  return (media.rtcpFb ?? [])
    .filter(({ payload }) => payload === '*' || payload === payloadType)
    .map(({ type, subtype }) => ({
      type: String(type),
      ...(subtype === undefined ? {} : { parameter: String(subtype) })
    }))
}

/**
 * mediasoup has no encrypted header extensions (RFC 6904). Ids above 255 propose an extension to which no id is given yet (RFC 8285
 * section 6), and 0 is padding.
 */
function readExtension(ext: NonNullable<MediaDescription['ext']>[number]): OfferedExtension[] {
  if (ext['encrypt-uri'] !== undefined || !(ext.value >= 1 && ext.value <= 255)) return []
  return [{ id: Number(ext.value), uri: String(ext.uri), direction: ext.direction ?? 'sendrecv' }]
}
