// Header extensions (RFC 8285) that both sides have, and the congestion control that follows from them.
import type { RtpCapabilities } from '../../schemas/sfu-rtp.js'
import {
  ABS_SEND_TIME_EXTENSION,
  DEPENDENCY_DESCRIPTOR_EXTENSION,
  type RtcpFeedback,
  TRANSPORT_CC_EXTENSION
} from './rtp.js'
import { kindOf, type OfferedExtension, type Section } from './section.js'

/** The extensions that the offerer may send and the router reads. */
export function receivedExtensions(section: Section, router: RtpCapabilities, codec: string): OfferedExtension[] {
  const kind = kindOf(section)
  const isRead = ({ uri, direction }: OfferedExtension) =>
    (direction === 'sendrecv' || direction === 'sendonly') &&
    (uri !== DEPENDENCY_DESCRIPTOR_EXTENSION || readsDescriptor(codec)) &&
    router.headerExtensions?.some(
      each => each.kind === kind && each.uri === uri && ['sendrecv', 'recvonly'].includes(each.direction ?? 'sendrecv')
    )
  return firstOfEach(section.extensions.filter(isRead))
}

/** For other codecs mediasoup does not forward the dependency descriptor, and a sender that writes it expects that. */
const readsDescriptor = (codec: string) => ['av1', 'h264'].includes(codec.toLowerCase())

/** An offer may give one extension several ids (RFC 8285 section 6); an answer takes one. */
const firstOfEach = (extensions: readonly OfferedExtension[]) =>
  extensions.filter((each, index) => extensions.findIndex(({ uri }) => uri === each.uri) === index)

/** Transport-wide congestion control if the packets carry its numbers, else REMB if they carry their time, else neither. */
export function congestionFeedback(
  feedback: readonly RtcpFeedback[],
  extensions: readonly { readonly uri: string }[]
): RtcpFeedback[] {
  const has = (wanted: string) => extensions.some(({ uri }) => uri === wanted)
  const [keepsTransportCc, keepsRemb] = has(TRANSPORT_CC_EXTENSION)
    ? [true, false]
    : [false, has(ABS_SEND_TIME_EXTENSION)]
  return feedback.filter(
    ({ type }) => (type !== 'transport-cc' || keepsTransportCc) && (type !== 'goog-remb' || keepsRemb)
  )
}
