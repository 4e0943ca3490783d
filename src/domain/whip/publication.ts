// WHIP (RFC 9725): an offer of media becomes the parameters of producers, and an answer.

import type { MediaKind, RtpCapabilities } from '../../schemas/sfu-rtp.js'
import type { DtlsParameters, IceParameters } from '../../schemas/sfu-transport.js'
import { type AnsweredCodec, type AnsweredSection, writeAnswer } from './answer.js'
import { type ChosenCodec, chooseCodec, codecParameters, mimeTypeOf } from './codecs.js'
import { readStreams, type Streams } from './encodings.js'
import { congestionFeedback, receivedExtensions } from './extensions.js'
import { type Offer, parseOffer, unsupported } from './offer.js'
import type { CompleteRtpParameters, TransportDescription } from './rtp.js'
import { kindOf, nameOf, type OfferedExtension, type Section } from './section.js'

/** What one media section publishes. */
export interface PublishedMedia {
  readonly mid: string | null
  readonly kind: MediaKind
  readonly rtpParameters: CompleteRtpParameters
}

export interface Publication {
  /** Of the client, for `transport.connect`. */
  readonly dtlsParameters: DtlsParameters
  /** Of the client. */
  readonly ice: IceParameters
  /** In the order of the offer. */
  readonly media: readonly PublishedMedia[]
  readonly offer: Offer
  readonly answered: ReadonlyMap<number, AnsweredSection>
}

export interface PublicationRules {
  readonly router: RtpCapabilities
  readonly maxBytes?: number
}

/**
 * A section that would send something, and cannot, makes the whole offer fail (RFC 9725 section 4.4.3). Sections that send nothing, and data
 * channels, are rejected one by one.
 * @throws AppError invalid_sdp, unsupported_offer, too_large; the detail names the line or the media section
 */
export function readPublication(text: string, { router, ...limits }: PublicationRules): Publication {
  const offer = parseOffer(text, { direction: 'sendonly', ...limits })
  // libdatachannel's name for itself. OBS, which is made with it, lists its largest picture first.
  const isLargestFirst = /^o=rtc /m.test(text)
  const sections = offer.usable.map(section => readPublished(section, router, isLargestFirst))
  return {
    dtlsParameters: offer.dtlsParameters,
    ice: offer.ice,
    media: sections.map(({ media }) => media),
    offer,
    answered: new Map(sections.map(({ index, answered }) => [index, answered]))
  }
}

interface PublishedSection {
  readonly index: number
  readonly media: PublishedMedia
  readonly answered: AnsweredSection
}

function readPublished(section: Section, router: RtpCapabilities, isLargestFirst: boolean): PublishedSection {
  const found = chooseCodec(section, router)
  if (found === null) {
    const offered = section.codecs.map(codec => mimeTypeOf(kindOf(section), codec)).join(', ')
    throw unsupported(`${nameOf(section)}: the media server has none of its codecs (${offered || 'it names none'})`)
  }
  const extensions = receivedExtensions(section, router, found.offered.name)
  const streams = readStreams(section, { extensions, isLargestFirst })
  const chosen: ChosenCodec = {
    ...found,
    feedback: congestionFeedback(found.feedback, extensions),
    rtx: streams.canRepair ? found.rtx : null
  }
  return {
    index: section.index,
    media: {
      mid: section.mid,
      kind: kindOf(section),
      rtpParameters: rtpParameters(section, chosen, { extensions, streams })
    },
    answered: {
      direction: 'recvonly',
      codecs: answeredCodecs(chosen),
      extensions,
      rids: streams.rids,
      streamLines: []
    }
  }
}

interface SectionStreams {
  readonly extensions: readonly OfferedExtension[]
  readonly streams: Streams
}

function rtpParameters(
  section: Section,
  chosen: ChosenCodec,
  { extensions, streams }: SectionStreams
): CompleteRtpParameters {
  const encodings = streams.encodings.map(({ rtx, ...encoding }) =>
    rtx === undefined || chosen.rtx === null ? encoding : { ...encoding, rtx }
  )
  return {
    ...(section.mid === null ? {} : { mid: section.mid }),
    codecs: codecParameters(kindOf(section), chosen),
    headerExtensions: extensions.map(({ uri, id }) => ({ uri, id })),
    encodings,
    rtcp: {
      ...(streams.cname === null ? {} : { cname: streams.cname }),
      reducedSize: section.media.rtcpRsize !== undefined
    }
  }
}

function answeredCodecs({ offered, feedback, rtx }: ChosenCodec): AnsweredCodec[] {
  const media = { ...offered, format: receivingFormat(offered), feedback }
  return rtx === null ? [media] : [media, { ...rtx, feedback: [] }]
}

/** The parameters of the offer. Browsers send stereo only to a receiver that asks for it (RFC 7587 section 6.1). */
function receivingFormat({ name, format, parameters }: ChosenCodec['offered']): string | null {
  const sendsStereo = name.toLowerCase() === 'opus' && parameters['sprop-stereo'] === 1
  if (!sendsStereo || parameters.stereo !== undefined) return format
  return format === null ? 'stereo=1' : `${format};stereo=1`
}

export function answerPublication(
  { offer, answered }: Publication,
  transport: TransportDescription,
  sessionNumber: string
): string {
  return writeAnswer({ offer, answered, transport, sessionNumber })
}
