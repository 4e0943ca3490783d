// Which codecs of a media section the router has too, by the rules by which mediasoup compares them.

import type { MediaKind, RtpCapabilities } from '../../schemas/sfu-rtp.js'
import { h264Profile } from './h264.js'
import type { RtcpFeedback, RtpCodecCapability, RtpCodecParameters } from './rtp.js'
import { kindOf, type OfferedCodec, type Section } from './section.js'

/** The codec of a section's media, with its RTX if both sides have it. */
export interface ChosenCodec {
  readonly offered: OfferedCodec
  readonly router: RtpCodecCapability
  readonly feedback: readonly RtcpFeedback[]
  readonly rtx: OfferedCodec | null
}

/** They carry no media of their own, so a section cannot consist of them. */
const AUXILIARY = ['rtx', 'red', 'ulpfec', 'flexfec-03', 'telephone-event', 'cn']

export const isAuxiliary = ({ name }: OfferedCodec): boolean => AUXILIARY.includes(name.toLowerCase())

export const isRtx = ({ name }: OfferedCodec): boolean => name.toLowerCase() === 'rtx'

export const mimeTypeOf = (kind: MediaKind, { name }: OfferedCodec): string => `${kind}/${name}`

/** The first codec of the offer, in its order of preference, that the router has. Null: there is none. */
export function chooseCodec(section: Section, router: RtpCapabilities): ChosenCodec | null {
  const kind = kindOf(section)
  const found = [isSameMode, isSubsetMode].flatMap(isMode =>
    section.codecs
      .filter(offered => !isAuxiliary(offered))
      .flatMap(offered => {
        const codec = router.codecs?.find(each => isSameCodec(kind, offered, each) && isMode(offered, each))
        return codec ? [{ offered, router: codec }] : []
      })
  )[0]
  if (found === undefined) return null
  return {
    ...found,
    feedback: commonFeedback(found.offered, found.router),
    rtx: findRtx(section, found, router)
  }
}

function isSameCodec(kind: MediaKind, offered: OfferedCodec, router: RtpCodecCapability): boolean {
  if (router.mimeType.toLowerCase() !== mimeTypeOf(kind, offered).toLowerCase()) return false
  if (router.clockRate !== offered.clockRate) return false
  if (kind === 'audio') return (router.channels ?? 1) === offered.channels && hasSameStreams(offered, router)
  const name = offered.name.toLowerCase()
  const parameters = router.parameters ?? {}
  if (name === 'vp9') return Number(parameters['profile-id'] ?? 0) === Number(offered.parameters['profile-id'] ?? 0)
  if (name !== 'h264') return true
  const profile = h264Profile(offered.parameters['profile-level-id'])
  return profile !== null && profile === h264Profile(parameters['profile-level-id'])
}

/** Of multiopus. */
function hasSameStreams(offered: OfferedCodec, { parameters = {} }: RtpCodecCapability): boolean {
  return ['num_streams', 'coupled_streams'].every(key => parameters[key] === offered.parameters[key])
}

const modeOf = (parameters: Readonly<Record<string, unknown>> = {}) => Number(parameters['packetization-mode'] ?? 0)

const isSameMode = (offered: OfferedCodec, router: RtpCodecCapability) =>
  modeOf(offered.parameters) === modeOf(router.parameters)

/** A sender of single NAL units (mode 0) is understood by every receiver of mode 1 (RFC 6184 section 6.2). Mode 0 is the default. */
const isSubsetMode = (offered: OfferedCodec, router: RtpCodecCapability) =>
  modeOf(offered.parameters) === 0 && modeOf(router.parameters) === 1

function commonFeedback({ feedback }: OfferedCodec, { rtcpFeedback = [] }: RtpCodecCapability): RtcpFeedback[] {
  return feedback.filter(({ type, parameter = '' }) =>
    rtcpFeedback.some(each => each.type === type && (each.parameter ?? '') === parameter)
  )
}

function findRtx(
  section: Section,
  { offered, router: routerMedia }: Pick<ChosenCodec, 'offered' | 'router'>,
  router: RtpCapabilities
): OfferedCodec | null {
  const routerHasIt = router.codecs?.some(
    ({ mimeType, parameters }) => /\/rtx$/i.test(mimeType) && parameters?.apt === routerMedia.preferredPayloadType
  )
  if (!routerHasIt) return null
  return (
    section.codecs.find(
      each => isRtx(each) && each.parameters.apt === offered.payloadType && each.clockRate === offered.clockRate
    ) ?? null
  )
}

/** In mediasoup's shape, as a producer has them. */
export function codecParameters(
  kind: MediaKind,
  { offered, router, feedback, rtx }: ChosenCodec
): RtpCodecParameters[] {
  const channels = kind === 'audio' ? { channels: offered.channels } : {}
  const isWider = modeOf(offered.parameters) !== modeOf(router.parameters)
  const media: RtpCodecParameters = {
    mimeType: router.mimeType,
    payloadType: offered.payloadType,
    clockRate: offered.clockRate,
    ...channels,
    parameters: isWider ? { ...offered.parameters, 'packetization-mode': 1 } : offered.parameters,
    rtcpFeedback: [...feedback]
  }
  if (rtx === null) return [media]
  const repair: RtpCodecParameters = {
    mimeType: `${kind}/rtx`,
    payloadType: rtx.payloadType,
    clockRate: rtx.clockRate,
    parameters: { apt: offered.payloadType },
    rtcpFeedback: []
  }
  return [media, repair]
}
