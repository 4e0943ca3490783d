// The codecs of a session's router, and of further routers that have the payload types of one participant (`exactPayloadTypes`).
import { SettingsError } from './settings.js'

/** What `CODECS` may name. The order is the order of preference of mediasoup-client. */
const CODECS = {
  opus: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }],
  pcmu: [{ kind: 'audio', mimeType: 'audio/PCMU', clockRate: 8000 }],
  pcma: [{ kind: 'audio', mimeType: 'audio/PCMA', clockRate: 8000 }],
  vp8: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }],
  vp9: [{ kind: 'video', mimeType: 'video/VP9', clockRate: 90_000, parameters: { 'profile-id': 0 } }],
  h264: ['42e01f', '4d001f', '640032'].map(level => ({
    kind: 'video',
    mimeType: 'video/H264',
    clockRate: 90_000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': level, 'level-asymmetry-allowed': 1 }
  })),
  av1: [{ kind: 'video', mimeType: 'video/AV1', clockRate: 90_000 }]
}
/** The order in which mediasoup gives payload types to RTX (`DynamicPayloadTypes` in its ortc.js). */
const DYNAMIC = [...range(100, 127), ...range(96, 99)]

/**
 * The codecs with these names that the installed mediasoup supports.
 * @param {readonly string[]} names @param {{codecs?: {mimeType: string}[]}} supported
 */
export function codecsNamed(names, supported) {
  const isSupported = codec => supported.codecs.some(({ mimeType }) => sameText(mimeType, codec.mimeType))
  return names.flatMap(name => {
    if (!CODECS[name]) throw new SettingsError(`CODECS: ${name} is none of ${Object.keys(CODECS).join(', ')}`)
    return CODECS[name].filter(isSupported)
  })
}

/**
 * The codecs of a router with the payload types of a participant: those of `codecs` that are in its capabilities. mediasoup gives each video codec
 * a payload type for RTX by itself, the first free one; it refuses a list in which a later codec wants that one. The list is therefore put into an
 * order without such collisions. If there is none, codecs at the end of the capabilities are left out.
 * @param {import('mediasoup').types.RtpCapabilities} rtpCapabilities @param {readonly object[]} codecs
 */
export function exactCodecs({ codecs: offered = [] }, codecs) {
  const wanted = offered
    .filter(({ preferredPayloadType }) => preferredPayloadType !== undefined)
    .filter(each => codecs.some(codec => isSameCodec(each, codec)))
    .map(({ mimeType, preferredPayloadType, clockRate, channels, parameters = {} }) => {
      const kind = mimeType.toLowerCase().startsWith('audio/') ? 'audio' : 'video'
      const ofAudio = kind === 'audio' && channels ? { channels } : {}
      return { kind, mimeType, preferredPayloadType, clockRate, ...ofAudio, parameters }
    })
  const unique = wanted.filter(
    ({ preferredPayloadType: type }, index) => wanted.findIndex(each => each.preferredPayloadType === type) === index
  )
  for (let count = unique.length; count > 0; count--) {
    const ordered = withoutCollision(unique.slice(0, count))
    if (ordered) return ordered
  }
  return []
}

function withoutCollision(codecs) {
  const isAudio = ({ kind }) => kind === 'audio'
  const ordered = codecs.filter(isAudio)
  const video = codecs.filter(codec => !isAudio(codec))
  const free = DYNAMIC.filter(type => !ordered.some(codec => codec.preferredPayloadType === type))
  while (video.length > 0) {
    // The next RTX takes the first free payload type, so the codec that wants it must come first.
    const index = Math.max(
      0,
      video.findIndex(codec => codec.preferredPayloadType === free[0])
    )
    const [codec] = video.splice(index, 1)
    if (free.includes(codec.preferredPayloadType)) free.splice(free.indexOf(codec.preferredPayloadType), 1)
    const rtx = free.shift()
    if (rtx === undefined || video.some(each => each.preferredPayloadType === rtx)) return null
    ordered.push(codec)
  }
  return ordered
}

function isSameCodec(one, other) {
  const parameter = (codec, name, byDefault) => String(codec.parameters?.[name] ?? byDefault).toLowerCase()
  if (!sameText(one.mimeType, other.mimeType) || one.clockRate !== other.clockRate) return false
  if (other.kind === 'audio') return (one.channels ?? 1) === (other.channels ?? 1)
  if (sameText(other.mimeType, 'video/VP9'))
    return parameter(one, 'profile-id', 0) === parameter(other, 'profile-id', 0)
  if (!sameText(other.mimeType, 'video/H264')) return true
  // The first byte of profile-level-id is the profile (RFC 6184, section 8.1). mediasoup compares it in detail.
  const profile = codec => parameter(codec, 'profile-level-id', '420010').slice(0, 2)
  return (
    parameter(one, 'packetization-mode', 0) === parameter(other, 'packetization-mode', 0) &&
    profile(one) === profile(other)
  )
}

/** Without RTX, whose payload types a router chooses by itself. Lost packets are then sent again as they were. */
export function withoutRtx({ codecs = [], headerExtensions = [] }) {
  return { codecs: codecs.filter(({ mimeType }) => !/\/rtx$/i.test(mimeType)), headerExtensions }
}

/** Whether each codec of the RTP has a payload type that the capabilities have for the same codec. */
export function hasPayloadTypesOf(rtpParameters, { codecs = [] }) {
  return rtpParameters.codecs.every(({ mimeType, payloadType }) =>
    codecs.some(each => each.preferredPayloadType === payloadType && sameText(each.mimeType, mimeType))
  )
}

function sameText(one, other) {
  return one.toLowerCase() === other.toLowerCase()
}

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
