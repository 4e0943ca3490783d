// What an offer says about the one transport that all its media uses (RFC 8829, RFC 8839, RFC 8842, RFC 8843), and its media sections.
import { parse, type SessionDescription, type SharedAttributes } from 'sdp-transform'
import { AppError } from '../../errors.js'
import type { DtlsParameters, IceParameters } from '../../schemas/sfu-transport.js'
import { parseDescription } from '../negotiation/sdp.js'
import { isMedia, nameOf, readSection, type Section } from './section.js'

export interface Offer {
  readonly sections: readonly Section[]
  /** Sections whose media goes one way: from the offerer for WHIP, to the offerer for WHEP. */
  readonly usable: readonly Section[]
  readonly ice: IceParameters
  /** Of the offerer, with the role that it has once it is answered. */
  readonly dtlsParameters: DtlsParameters
  /** `a=extmap-allow-mixed` (RFC 8285 section 6) stands at the session. */
  readonly mixesExtensions: boolean
  readonly isBundled: boolean
  /** Index of the offerer-tagged section of the BUNDLE group (RFC 8843 section 7.2); -1: none. */
  readonly taggedIndex: number
}

/** Browsers write about 150 lines for a section of video. */
const LINES_MAX = 2000
/** A publisher with camera, microphone, screen and its sound has four. */
export const USABLE_SECTIONS_MAX = 8
export const SECTIONS_MAX = 32

export const malformed = (detail: string) => new AppError('invalid_sdp', { detail })
/** The offer can be read, and cannot be served. */
export const unsupported = (detail: string) => new AppError('unsupported_offer', { detail })

export interface OfferRules {
  /** `a=sendonly` for WHIP, `a=recvonly` for WHEP; `a=sendrecv` is used for either (RFC 9725 section 4.2). */
  readonly direction: 'sendonly' | 'recvonly'
  readonly maxBytes?: number
}

/** @throws AppError invalid_sdp, unsupported_offer, too_large; the detail names the line or the media section */
export function parseOffer(text: string, { direction, maxBytes }: OfferRules): Offer {
  const { sdp } = parseDescription(text, maxBytes)
  if (sdp.split('\n').length > LINES_MAX) throw malformed(`It has more than ${LINES_MAX} lines`)
  const session = parse(sdp)
  if (session.media.length > SECTIONS_MAX) throw malformed(`It has more than ${SECTIONS_MAX} media sections`)
  const sections = session.media.map((media, index) => readSection(session, media, index))
  checkMids(sections)
  const usable = sections.filter(
    section =>
      isMedia(section) && !section.isRejected && (section.direction === 'sendrecv' || section.direction === direction)
  )
  const [first] = usable
  if (first === undefined) throw unsupported(`It has no section of audio or video that is ${direction}`)
  if (usable.length > USABLE_SECTIONS_MAX) {
    throw unsupported(`More than ${USABLE_SECTIONS_MAX} of its media sections are ${direction}`)
  }
  const bundle = bundleOf(session, first)
  const taggedIndex = bundle[0] === undefined ? -1 : sections.findIndex(({ mid }) => mid === bundle[0])
  const tagged = sections[taggedIndex]
  for (const section of usable) checkTransport(section, tagged)
  checkBundle(usable, bundle)
  const carriers = [first.media, ...(tagged === undefined ? [] : [tagged.media]), session]
  if (session.icelite !== undefined) {
    throw unsupported('It has a=ice-lite: the media server is ICE lite itself (RFC 8445 section 2.5)')
  }
  return {
    sections,
    usable,
    ice: readIce(carriers, first),
    dtlsParameters: readDtls(carriers, first),
    mixesExtensions: session.extmapAllowMixed !== undefined,
    isBundled: bundle.length > 0,
    taggedIndex
  }
}

/** Visible ASCII without a space (RFC 5888 section 4). */
const MID = /^[!-~]{1,255}$/

function checkMids(sections: readonly Section[]): void {
  const seen = new Set<string>()
  for (const section of sections) {
    if (!/^\w+$/.test(section.type) || section.type === 'undefined') {
      throw malformed(`The m= line of media section ${section.index + 1} cannot be read (RFC 8866 section 5.14)`)
    }
    if (section.mid === null) continue
    if (!MID.test(section.mid)) throw malformed(`${nameOf(section)}: its mid is no token (RFC 5888 section 4)`)
    if (seen.has(section.mid)) throw malformed(`${nameOf(section)}: another section has the same mid`)
    seen.add(section.mid)
  }
}

/** A bundle-only section has the attributes of its transport in the tagged section alone (RFC 8843 section 7.1.3). */
function checkTransport(section: Section, tagged: Section | undefined): void {
  if (!/^(?:UDP|TCP)\/TLS\/RTP\/SAVPF$|^RTP\/SAVPF$/.test(section.protocol)) {
    throw unsupported(`${nameOf(section)}: its protocol ${section.protocol} is not UDP/TLS/RTP/SAVPF (RFC 5764)`)
  }
  const carrier = section.media.bundleOnly === undefined ? section : (tagged ?? section)
  if ((section.media.rtcpMux ?? carrier.media.rtcpMux) === undefined) {
    throw unsupported(`${nameOf(section)}: it has no a=rtcp-mux (RFC 9725 section 4.4.1)`)
  }
}

/** The mids of the BUNDLE group that the section is in. */
function bundleOf(session: SessionDescription, { mid }: Section): readonly string[] {
  const groups = (session.groups ?? []).filter(({ type }) => type === 'BUNDLE')
  const lists = groups.map(({ mids }) => String(mids).trim().split(/ +/))
  return lists.find(mids => mid !== null && mids.includes(mid)) ?? []
}

/** All sections share one transport, so a header extension has one id in all of them (RFC 8843 section 7.1.3). */
function checkBundle(usable: readonly Section[], bundle: readonly string[]): void {
  const uris = new Map<number, string>()
  for (const section of usable) {
    if (usable.length > 1 && !(section.mid !== null && bundle.includes(section.mid))) {
      throw unsupported(
        `${nameOf(section)}: it is not in the BUNDLE group of the other sections (RFC 9725 section 4.4.1)`
      )
    }
    for (const { id, uri } of section.extensions) {
      if ((uris.get(id) ?? uri) !== uri) {
        throw malformed(`${nameOf(section)}: a=extmap:${id} is another extension in another section (RFC 8843)`)
      }
      uris.set(id, uri)
    }
  }
}

/** In order: the first section that is used, the first one of its group, the session. */
type Carriers = readonly SharedAttributes[]

const attribute = <K extends keyof SharedAttributes>(carriers: Carriers, key: K): SharedAttributes[K] | undefined =>
  carriers.find(each => each[key] !== undefined)?.[key]

function readIce(carriers: Carriers, section: Section): IceParameters {
  const usernameFragment = attribute(carriers, 'iceUfrag')
  const password = attribute(carriers, 'icePwd')
  if (usernameFragment === undefined || password === undefined) {
    throw malformed(`${nameOf(section)}: it has no a=ice-ufrag and a=ice-pwd (RFC 8839 section 5.4)`)
  }
  return { usernameFragment: String(usernameFragment), password: String(password) }
}

/** RFC 8122 section 5 and RFC 8827 section 6.5: what mediasoup has. */
const HASH_BYTES: Readonly<Record<string, number>> = {
  'sha-1': 20,
  'sha-224': 28,
  'sha-256': 32,
  'sha-384': 48,
  'sha-512': 64
}

/** A client that can be either is the DTLS client: it knows when ICE is done, which the media server, being ICE lite, does not decide. */
const ROLES: Readonly<Record<string, 'client' | 'server'>> = { actpass: 'client', active: 'client', passive: 'server' }

function readDtls(carriers: Carriers, section: Section): DtlsParameters {
  const fingerprint = attribute(carriers, 'fingerprint')
  if (fingerprint === undefined) throw malformed(`${nameOf(section)}: it has no a=fingerprint (RFC 8122 section 5)`)
  const algorithm = String(fingerprint.type).toLowerCase()
  const value = String(fingerprint.hash).toUpperCase()
  const bytes = HASH_BYTES[algorithm]
  if (bytes === undefined) throw unsupported(`${nameOf(section)}: the hash of its a=fingerprint is not known`)
  if (!/^[0-9A-F]{2}(?::[0-9A-F]{2})*$/.test(value) || value.length !== bytes * 3 - 1) {
    throw malformed(`${nameOf(section)}: its a=fingerprint is no hash of ${algorithm} (RFC 8122 section 5)`)
  }
  // The default is that of RFC 4145 section 4.
  const setup = String(attribute(carriers, 'setup') ?? 'active')
  const role = ROLES[setup]
  if (role === undefined) throw unsupported(`${nameOf(section)}: its a=setup:${setup} opens no connection (RFC 8842)`)
  return { role, fingerprints: [{ algorithm, value }] }
}
