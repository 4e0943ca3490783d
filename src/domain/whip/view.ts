// WHEP (draft-ietf-wish-whep): an offer to receive becomes the capabilities of a viewer; the consumers made for it become an answer.

import type { MediaKind, RtpParameters } from '../../schemas/sfu-rtp.js'
import type { DtlsParameters, IceParameters } from '../../schemas/sfu-transport.js'
import { type AnsweredCodec, type AnsweredSection, writeAnswer } from './answer.js'
import { isAuxiliary, isRtx, mimeTypeOf } from './codecs.js'
import { type Offer, parseOffer } from './offer.js'
import type {
  CodecParameters,
  CompleteRtpCapabilities,
  RtpCodecParameters,
  RtpEncoding,
  TransportDescription
} from './rtp.js'
import { kindOf, nameOf, type OfferedCodec, type OfferedExtension, type Section } from './section.js'

/** What one media section can receive, with the payload types and extension ids of the offer. */
export interface ViewedMedia {
  readonly mid: string | null
  readonly kind: MediaKind
  readonly rtpCapabilities: CompleteRtpCapabilities
}

export interface View {
  /** Of the client, for `transport.connect`. */
  readonly dtlsParameters: DtlsParameters
  /** Of the client. */
  readonly ice: IceParameters
  /** In the order of the offer. */
  readonly media: readonly ViewedMedia[]
  /** Of all sections. */
  readonly rtpCapabilities: CompleteRtpCapabilities
  readonly offer: Offer
}

/** @throws AppError invalid_sdp, unsupported_offer, too_large; the detail names the line or the media section */
export function readView(text: string, maxBytes?: number): View {
  const offer = parseOffer(text, { direction: 'recvonly', ...(maxBytes === undefined ? {} : { maxBytes }) })
  const media = offer.usable.map(section => ({
    mid: section.mid,
    kind: kindOf(section),
    rtpCapabilities: capabilitiesOf(section)
  }))
  const rtpCapabilities = mergeCapabilities(media.map(each => each.rtpCapabilities))
  return { dtlsParameters: offer.dtlsParameters, ice: offer.ice, media, rtpCapabilities, offer }
}

/** All sections share one transport, so a payload type, or the id of an extension for a kind, means the same in all of them. */
function mergeCapabilities(all: readonly CompleteRtpCapabilities[]): CompleteRtpCapabilities {
  const codecs = all.flatMap(each => each.codecs)
  const extensions = all.flatMap(each => each.headerExtensions)
  return {
    codecs: firstOfEach(codecs, ({ preferredPayloadType }) => String(preferredPayloadType)),
    headerExtensions: firstOfEach(extensions, ({ kind, preferredId }) => `${kind} ${preferredId}`)
  }
}

const firstOfEach = <Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] =>
  [...new Map(items.toReversed().map(item => [keyOf(item), item])).values()].toReversed()

function capabilitiesOf(section: Section): CompleteRtpCapabilities {
  const kind = kindOf(section)
  const codecs = section.codecs
    .filter(codec => isRtx(codec) || !isAuxiliary(codec))
    .map(codec => ({
      kind,
      mimeType: mimeTypeOf(kind, codec),
      preferredPayloadType: codec.payloadType,
      clockRate: codec.clockRate,
      ...(kind === 'audio' ? { channels: codec.channels } : {}),
      parameters: receivingParameters(codec),
      rtcpFeedback: [...codec.feedback]
    }))
  const headerExtensions = section.extensions.filter(isReceived).map(({ id, uri }) => ({ kind, uri, preferredId: id }))
  return { codecs, headerExtensions }
}

/**
 * GStreamer's depayloader reads all packetization modes of H.264, and names none. Its default is 0 (RFC 6184 section 8.1), for which no
 * producer is sent.
 */
function receivingParameters({ name, parameters }: OfferedCodec): CodecParameters {
  const isUnnamed = name.toLowerCase() === 'h264' && parameters['packetization-mode'] === undefined
  return isUnnamed ? { ...parameters, 'packetization-mode': 1 } : parameters
}

const isReceived = ({ direction }: OfferedExtension) => direction === 'sendrecv' || direction === 'recvonly'

/**
 * Gives each section of the offer one of the producers of its kind, in order. Null: no producer is left for the section.
 */
export function assignProducers<P extends { readonly kind: MediaKind }>(
  media: readonly ViewedMedia[],
  producers: readonly P[]
): (P | null)[] {
  const left: Record<MediaKind, P[]> = {
    audio: producers.filter(({ kind }) => kind === 'audio'),
    video: producers.filter(({ kind }) => kind === 'video')
  }
  return media.map(({ kind }) => left[kind].shift() ?? null)
}

/**
 * @param consumers What each section of `view.media` receives; null: nothing, the section is rejected.
 * @throws Error if a consumer sends what the section did not offer to receive
 */
export function answerView(
  { offer }: View,
  consumers: readonly (RtpParameters | null)[],
  { transport, sessionNumber }: { readonly transport: TransportDescription; readonly sessionNumber: string }
): string {
  const answered = new Map<number, AnsweredSection>()
  for (const [i, section] of offer.usable.entries()) {
    const consumer = consumers[i] ?? null
    if (consumer !== null) answered.set(section.index, sendingSection(section, consumer))
  }
  return writeAnswer({ offer, answered, transport, sessionNumber })
}

function sendingSection(
  section: Section,
  { codecs, headerExtensions = [], encodings = [], rtcp = {} }: RtpParameters
): AnsweredSection {
  return {
    direction: 'sendonly',
    codecs: codecs.map(codec => sentCodec(section, codec)),
    extensions: section.extensions.filter(
      each => isReceived(each) && headerExtensions.some(({ id, uri }) => id === each.id && uri === each.uri)
    ),
    rids: [],
    streamLines: streamLines(section, encodings[0], tokenOf(rtcp.cname))
  }
}

function sentCodec(section: Section, codec: RtpCodecParameters): AnsweredCodec {
  const offered = section.codecs.find(({ payloadType }) => payloadType === codec.payloadType)
  if (offered === undefined || mimeTypeOf(kindOf(section), offered).toLowerCase() !== codec.mimeType.toLowerCase()) {
    throw new Error(
      `${nameOf(section)}: the media service sends ${codec.mimeType} as ${codec.payloadType}, which was not offered`
    )
  }
  return { ...offered, format: sendingFormat(offered, codec.parameters ?? {}), feedback: sentFeedback(offered, codec) }
}

const sentFeedback = ({ feedback }: OfferedCodec, { rtcpFeedback = [] }: RtpCodecParameters) =>
  feedback.filter(({ type, parameter = '' }) =>
    rtcpFeedback.some(each => each.type === type && (each.parameter ?? '') === parameter)
  )

/** What the publisher says about its Opus (RFC 7587 section 7). The parameters of other codecs are those of the offer. */
function sendingFormat(
  { name, format }: OfferedCodec,
  { 'sprop-stereo': stereo }: Readonly<Record<string, unknown>>
): string | null {
  if (name.toLowerCase() !== 'opus' || Number(stereo) !== 1 || /sprop-stereo/.test(format ?? '')) return format
  return format === null ? 'sprop-stereo=1' : `${format};sprop-stereo=1`
}

/** The name was chosen by another client: it must not add a line. */
const tokenOf = (cname: string | undefined): string =>
  cname !== undefined && /^[!-~]{1,255}$/.test(cname) ? cname : 'signalpost'

/** All sections are of one stream (RFC 9725 section 4.4.2). */
function streamLines({ index, type }: Section, encoding: RtpEncoding | undefined, cname: string): string[] {
  const msid = `a=msid:room ${type}-${index}`
  if (encoding?.ssrc === undefined) return [msid]
  const { ssrc, rtx } = encoding
  if (rtx?.ssrc === undefined) return [msid, `a=ssrc:${ssrc} cname:${cname}`]
  return [
    msid,
    `a=ssrc-group:FID ${ssrc} ${rtx.ssrc}`,
    `a=ssrc:${ssrc} cname:${cname}`,
    `a=ssrc:${rtx.ssrc} cname:${cname}`
  ]
}
