// The part of mediasoup's vocabulary that SDP is translated to and from.
import type { RtpCapabilities, RtpParameters } from '../../schemas/sfu-rtp.js'
import type { DtlsParameters, IceParameters, MediaIceCandidate } from '../../schemas/sfu-transport.js'

export type RtpCodecCapability = NonNullable<RtpCapabilities['codecs']>[number]
export type RtpCodecParameters = RtpParameters['codecs'][number]
export type RtcpFeedback = NonNullable<RtpCodecParameters['rtcpFeedback']>[number]
/** With all members that mediasoup has defaults for. */
export type CompleteRtpParameters = RtpParameters &
  Required<Pick<RtpParameters, 'headerExtensions' | 'encodings' | 'rtcp'>>
export type CompleteRtpCapabilities = Required<Pick<RtpCapabilities, 'codecs' | 'headerExtensions'>>
export type RtpEncoding = CompleteRtpParameters['encodings'][number]
export type RtpHeaderExtensionParameters = CompleteRtpParameters['headerExtensions'][number]
export type DtlsFingerprint = DtlsParameters['fingerprints'][number]
/** Of `a=fmtp`. */
export type CodecParameters = Readonly<Record<string, string | number>>

/** What the media service says about a transport. */
export interface TransportDescription {
  readonly iceParameters: IceParameters
  readonly iceCandidates: readonly MediaIceCandidate[]
  readonly dtlsParameters: DtlsParameters
}

export const MID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:mid'
export const RID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id'
export const REPAIRED_RID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id'
export const ABS_SEND_TIME_EXTENSION = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'
export const TRANSPORT_CC_EXTENSION = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'
export const DEPENDENCY_DESCRIPTOR_EXTENSION =
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension'
