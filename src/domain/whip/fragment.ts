// SDP fragments of trickle ICE (RFC 8840), and the entity tag of an ICE session (RFC 9725 section 4.3).
import { createHash } from 'node:crypto'
import { AppError } from '../../errors.js'
import type { IceParameters, MediaIceCandidate } from '../../schemas/sfu-transport.js'
import { CANDIDATE_MAX_BYTES, UFRAG_MAX_LENGTH } from '../../schemas/signal.js'
import { lineFault } from '../negotiation/candidate.js'
import { candidateLines, ICE_LINES, lines } from './answer.js'
import { malformed } from './offer.js'

export interface Fragment {
  /** Of the client; null: the fragment names none. */
  readonly ice: IceParameters | null
  /** Number of its candidates. The media server is ICE lite: it learns the client's addresses from the client's checks. */
  readonly candidates: number
  readonly isEnd: boolean
  /** The lines a=group, m= and a=mid, which a reply repeats. */
  readonly context: readonly string[]
}

export const FRAGMENT_MAX_BYTES = 65_536
/** Several times what a browser gathers. */
const CANDIDATES_MAX = 256
const LINES_MAX = 1000

/** @throws AppError invalid_sdp with the line and the reason; too_large */
export function parseFragment(text: string): Fragment {
  if (Buffer.byteLength(text) > FRAGMENT_MAX_BYTES) {
    throw new AppError('too_large', { detail: `The fragment is larger than ${FRAGMENT_MAX_BYTES} bytes` })
  }
  const all = text.split(/\r?\n/)
  if (all.length > LINES_MAX) throw malformed(`It has more than ${LINES_MAX} lines`)
  const read: Reading = { ufrag: null, password: null, candidates: 0, isEnd: false, context: [] }
  for (const [index, line] of all.entries()) {
    const fault = line.trim() === '' ? null : readLine(line.trimEnd(), read)
    if (fault !== null) throw malformed(`Line ${index + 1}: ${fault}`)
  }
  const { ufrag, password, candidates, isEnd, context } = read
  if ((ufrag === null) !== (password === null)) {
    throw malformed('One of a=ice-ufrag and a=ice-pwd is missing (RFC 8840 section 4.4)')
  }
  if (ufrag === null && candidates === 0 && !isEnd) {
    throw malformed('It has no a=ice-ufrag, no a=candidate and no a=end-of-candidates (RFC 8840 section 4.4)')
  }
  const ice = ufrag === null || password === null ? null : { usernameFragment: ufrag, password }
  return { ice, candidates, isEnd, context }
}

interface Reading {
  ufrag: string | null
  password: string | null
  candidates: number
  isEnd: boolean
  readonly context: string[]
}

const CREDENTIAL = new RegExp(`^[!-~]{1,${UFRAG_MAX_LENGTH}}$`)

/** Reads one line. Returns what is wrong with it; null: nothing. */
function readLine(line: string, read: Reading): string | null {
  if (!/^[a-z]=\S[^\0\r]*$/.test(line)) return 'a line has to read <letter>=<value> (RFC 8866 section 5)'
  const [, name = '', value = ''] = /^a=([\w-]+):?(.*)$/.exec(line) ?? []
  if (line.startsWith('m=')) return readMediaLine(line, read)
  if (name === 'candidate') return readCandidate(line.slice('a='.length), read)
  if (name === 'end-of-candidates') read.isEnd = true
  if (name === 'group' || name === 'mid') keepContext(line, name, read)
  if (name !== 'ice-ufrag' && name !== 'ice-pwd') return null
  if (!CREDENTIAL.test(value)) return `a=${name} has 1 to ${UFRAG_MAX_LENGTH} visible ASCII characters`
  // All sections are bundled, so the first credentials are those of the transport.
  if (name === 'ice-ufrag') read.ufrag ??= value
  else read.password ??= value
  return null
}

function readMediaLine(line: string, { context }: Reading): string | null {
  if (line.split(' ').length < 4) return 'm= has less than 4 fields: media, port, protocol, formats (RFC 8866)'
  if (!context.some(each => each.startsWith('m='))) context.push(line)
  return null
}

function keepContext(line: string, name: string, { context }: Reading): void {
  if (!context.some(each => each.startsWith(`a=${name}:`))) context.push(line)
}

function readCandidate(line: string, read: Reading): string | null {
  read.candidates++
  if (read.candidates > CANDIDATES_MAX) return `more than ${CANDIDATES_MAX} candidates`
  if (Buffer.byteLength(line) > CANDIDATE_MAX_BYTES) return `larger than ${CANDIDATE_MAX_BYTES} bytes`
  return lineFault(line)
}

/** The reply to an ICE restart: the new credentials of the media server and all of its candidates. */
export function writeFragment(
  { context }: Fragment,
  ice: IceParameters,
  candidates: readonly MediaIceCandidate[]
): string {
  return lines([
    ...ICE_LINES,
    ...context,
    `a=ice-ufrag:${ice.usernameFragment}`,
    `a=ice-pwd:${ice.password}`,
    ...candidateLines(candidates)
  ])
}

/** Names an ICE session by the credentials of both sides; only those of the media server have to be kept. Strong, and quoted. */
export const entityTag = (serverDigest: string, client: IceParameters): string =>
  `"${serverDigest}.${credentialDigest(client)}"`

export const credentialDigest = ({ usernameFragment, password }: IceParameters): string =>
  createHash('sha256').update(`${usernameFragment} ${password}`).digest('base64url').slice(0, 16)

/** What a PATCH of a WHIP or WHEP session asks for. */
export type PatchIntent = 'trickle' | 'restart'

/**
 * RFC 9725 sections 4.3.1 and 4.3.3: `If-Match: *` restarts ICE, and so do credentials that are not those of the named ICE session.
 * @throws AppError precondition_required, precondition_failed
 */
export function patchIntent(ifMatch: string | undefined, fragment: Fragment, serverDigest: string): PatchIntent {
  if (ifMatch === undefined || ifMatch.trim() === '') throw new AppError('precondition_required')
  const tags = ifMatch.split(',').map(tag => tag.trim().replace(/^"(.*)"$/, '$1'))
  // Without credentials there is nothing to restart with.
  if (tags.includes('*')) return fragment.ice === null ? 'trickle' : 'restart'
  const named = tags.find(tag => tag.split('.')[0] === serverDigest)
  if (named === undefined) throw new AppError('precondition_failed')
  return fragment.ice === null || named.split('.')[1] === credentialDigest(fragment.ice) ? 'trickle' : 'restart'
}
