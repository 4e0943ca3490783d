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

/** Takes a payload type in the list of a router. No producer has this codec (comfort noise), and audio gets no RTX. */
const filler = preferredPayloadType => ({ kind: 'audio', mimeType: 'audio/CN', clockRate: 8000, preferredPayloadType })

/**
 * The codecs of a router with the payload types of a participant: those of `codecs` that are in its capabilities. mediasoup gives each video codec
 * a payload type for RTX by itself, the first free one; it refuses a list in which a later codec wants that one. The list is therefore put into an
 * order in which RTX gets the payload types of the participant too, with fillers for those that are free before. Where that is impossible, codecs
 * at the end of the capabilities go without RTX, and if even so there is no order, they are left out.
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
    const ordered = inOrder(unique.slice(0, count), offered)
    if (ordered) return ordered
  }
  return []
}

/** @returns {object[] | null} null if mediasoup takes them in no order */
function inOrder(codecs, offered) {
  const audio = codecs.filter(({ kind }) => kind === 'audio')
  const free = DYNAMIC.filter(type => !audio.some(codec => codec.preferredPayloadType === type))
  const ordered = [...audio]
  let left = codecs
    .filter(codec => !audio.includes(codec))
    .map(codec => ({ codec, media: codec.preferredPayloadType, rtx: rtxOf(codec, offered, free) }))
  while (left.length > 0) {
    const next =
      left.find(each => each.rtx === null && isNext(each, left, free)) ?? left.find(each => isNext(each, left, free))
    if (next) {
      const skipped = next.rtx === null ? [] : aheadOf(next, free)
      const taken = [...skipped, next.media, next.rtx ?? aheadOf(next, free)[0]]
      free.splice(0, free.length, ...free.filter(type => !taken.includes(type)))
      ordered.push(...skipped.map(filler), next.codec)
      left = left.filter(each => each !== next)
    } else if (!giveUpRtx(left, free)) return null
  }
  return ordered
}

/** The payload type that the participant has for RTX of a codec. Null: none, or one that mediasoup gives to nothing. */
function rtxOf({ preferredPayloadType }, offered, free) {
  const rtx = offered.find(({ mimeType, parameters }) => isRtx(mimeType) && parameters?.apt === preferredPayloadType)
  return free.includes(rtx?.preferredPayloadType) ? rtx.preferredPayloadType : null
}

/** The payload types that RTX of the codec would get before the one that it should get; all if it may get any. */
function aheadOf({ media, rtx }, free) {
  return free.slice(0, rtx === null ? free.length : free.indexOf(rtx)).filter(type => type !== media)
}

/** Whether RTX of the codec gets its payload type, or one that no other codec needs. */
function isNext(codec, left, free) {
  const ahead = aheadOf(codec, free)
  if (codec.rtx !== null) return !ahead.some(type => isNeeded(type, codec, left))
  return ahead.length > 0 && !isNeeded(ahead[0], codec, left)
}

function isNeeded(type, codec, left) {
  return left.some(each => each !== codec && (each.media === type || each.rtx === type))
}

/** The codecs that are in the way of RTX of the first one go without, or it does itself. @returns {boolean} false: none has RTX any more */
function giveUpRtx(left, free) {
  const first = left.find(({ rtx }) => rtx !== null)
  if (!first) return false
  const ahead = aheadOf(first, free)
  const inTheWay = left.filter(
    each => each !== first && each.rtx !== null && (ahead.includes(each.media) || ahead.includes(each.rtx))
  )
  for (const each of inTheWay.length > 0 ? inTheWay : [first]) each.rtx = null
  return true
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

/** Lost packets are then sent again as they were. */
export function withoutRtx({ codecs = [], headerExtensions = [] }) {
  return { codecs: codecs.filter(({ mimeType }) => !isRtx(mimeType)), headerExtensions }
}

/** Whether each codec of the RTP has a payload type that the capabilities have for the same codec. */
export function hasPayloadTypesOf(rtpParameters, { codecs = [] }) {
  return rtpParameters.codecs.every(({ mimeType, payloadType, parameters }) =>
    codecs.some(
      each =>
        each.preferredPayloadType === payloadType &&
        sameText(each.mimeType, mimeType) &&
        (!isRtx(mimeType) || each.parameters?.apt === parameters.apt)
    )
  )
}

function isRtx(mimeType) {
  return /\/rtx$/i.test(mimeType)
}

function sameText(one, other) {
  return one.toLowerCase() === other.toLowerCase()
}

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
