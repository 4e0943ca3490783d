// The streams of a sending media section: by RID (RFC 8852, RFC 8853), by SSRC (RFC 5576), or by its mid alone.
import { parseSimulcastStreamList } from 'sdp-transform'
import { malformed, unsupported } from './offer.js'
import {
  MID_EXTENSION,
  REPAIRED_RID_EXTENSION,
  RID_EXTENSION,
  type RtpEncoding,
  type RtpHeaderExtensionParameters
} from './rtp.js'
import { nameOf, type Section } from './section.js'

export interface Streams {
  /** Simulcast: from the smallest picture to the largest. */
  readonly encodings: readonly RtpEncoding[]
  /** The RIDs of simulcast in the order of the offer; empty: no simulcast by RID. */
  readonly rids: readonly string[]
  /** Retransmissions can be told from the media. */
  readonly canRepair: boolean
  readonly cname: string | null
}

/** mediasoup has no more than eight spatial layers; OBS sends at most four. */
const ENCODINGS_MAX = 8

export interface StreamRules {
  /** Of the answer. */
  readonly extensions: readonly RtpHeaderExtensionParameters[]
  /** The offerer lists its largest picture first. */
  readonly isLargestFirst: boolean
}

/** @throws AppError invalid_sdp, unsupported_offer */
export function readStreams(section: Section, { extensions, isLargestFirst }: StreamRules): Streams {
  const has = (wanted: string) => extensions.some(({ uri }) => uri === wanted)
  const cname = cnameOf(section)
  const rids = simulcastRids(section)
  if (rids.length > 0 && has(RID_EXTENSION)) {
    const encodings = byPicture(section, rids, isLargestFirst).map(rid => ({ rid }))
    return { encodings, rids, canRepair: has(REPAIRED_RID_EXTENSION), cname }
  }
  const encodings = encodingsOfSsrcs(section)
  if (encodings.length > ENCODINGS_MAX) throw unsupported(`${nameOf(section)}: more than ${ENCODINGS_MAX} streams`)
  if (encodings.length > 0) return { encodings, rids: [], canRepair: encodings.every(({ rtx }) => rtx), cname }
  if (has(MID_EXTENSION) && section.mid !== null) return { encodings: [{}], rids: [], canRepair: true, cname }
  throw unsupported(
    `${nameOf(section)}: its packets cannot be recognized, it has neither a=ssrc nor the header extension ${MID_EXTENSION}`
  )
}

function cnameOf({ media }: Section): string | null {
  const value = media.ssrcs?.find(({ attribute }) => attribute === 'cname')?.value
  return value === undefined ? null : String(value)
}

/** What the section sends by a=simulcast, in its order. Of alternatives (RFC 8853 section 5.1) the first is taken. */
function simulcastRids(section: Section): string[] {
  const { simulcast, rids = [] } = section.media
  if (simulcast === undefined) return []
  const list = simulcast.dir1 === 'send' ? simulcast.list1 : simulcast.list2
  if (list === undefined) return []
  const named = parseSimulcastStreamList(String(list)).map(([first]) => String(first?.scid))
  if (named.length > ENCODINGS_MAX) throw unsupported(`${nameOf(section)}: more than ${ENCODINGS_MAX} RIDs`)
  const sent = rids.filter(({ direction }) => direction === 'send').map(({ id }) => String(id))
  const unknown = named.find(rid => !sent.includes(rid))
  if (unknown !== undefined)
    throw malformed(`${nameOf(section)}: a=simulcast names ${unknown}, without a=rid (RFC 8853)`)
  if (new Set(named).size < named.length)
    throw malformed(`${nameOf(section)}: a=simulcast names a RID twice (RFC 8853)`)
  return named
}

/** Names by which clients call their pictures, each from the smallest to the largest. */
const FAMILIES: readonly (readonly string[])[] = [
  ['q', 'h', 'f'],
  ['l', 'm', 'h'],
  ['lo', 'mid', 'hi'],
  ['low', 'mid', 'high'],
  ['low', 'medium', 'high']
]

/**
 * From the smallest picture to the largest, as mediasoup needs them. SDP does not say which is which, so in this order: by the sizes or bit
 * rates of a=rid, by known names, or as listed. Browsers list the smallest first (W3C WebRTC section 5.1, `scaleResolutionDownBy`).
 */
function byPicture(section: Section, rids: readonly string[], isLargestFirst: boolean): string[] {
  const sizes = rids.map(rid => sizeOf(section, rid))
  const family = FAMILIES.find(names => rids.every(rid => names.includes(rid)))
  const rank = (rid: string, index: number): number => {
    if (sizes.every(size => size !== null)) return sizes[index] ?? 0
    if (family) return family.indexOf(rid)
    return isLargestFirst ? -index : index
  }
  return rids
    .map((rid, index) => ({ rid, rank: rank(rid, index) }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ rid }) => rid)
}

/** Restrictions of RFC 8851 section 5; null: the section names none. */
function sizeOf({ media }: Section, rid: string): number | null {
  const params = String(media.rids?.find(({ id }) => String(id) === rid)?.params ?? '')
  const value = (key: string) => Number(new RegExp(`(?:^|;) *${key}=(\\d{1,10})(?:;|$)`).exec(params)?.[1] ?? 0)
  const pixels = value('max-width') * value('max-height')
  return pixels || value('max-br') || null
}

/** The first stream, or those of a SIM group; each with its partner of a FID group (RFC 5576 section 4.2). */
function encodingsOfSsrcs({ media }: Section): RtpEncoding[] {
  const groups = (media.ssrcGroups ?? []).map(({ semantics, ssrcs }) => ({
    semantics: String(semantics),
    ssrcs: String(ssrcs).trim().split(/ +/).map(Number)
  }))
  const known = new Set((media.ssrcs ?? []).map(({ id }) => Number(id)).filter(isSsrc))
  const repairs = new Set(groups.filter(({ semantics }) => semantics !== 'SIM').flatMap(({ ssrcs }) => ssrcs.slice(1)))
  const simulcast = groups.find(({ semantics }) => semantics === 'SIM')?.ssrcs.filter(ssrc => known.has(ssrc)) ?? []
  const first = [...known].find(ssrc => !repairs.has(ssrc))
  const streams = simulcast.length > 0 ? simulcast : first === undefined ? [] : [first]
  return streams.map(ssrc => {
    const partner = groups.find(({ semantics, ssrcs }) => semantics === 'FID' && ssrcs[0] === ssrc)?.ssrcs[1]
    return partner !== undefined && isSsrc(partner) ? { ssrc, rtx: { ssrc: partner } } : { ssrc }
  })
}

const isSsrc = (value: number): boolean => Number.isInteger(value) && value > 0 && value < 2 ** 32
