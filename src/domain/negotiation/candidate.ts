// The syntax of ICE candidates: what clients send, and the canonical form that is passed on (W3C WebRTC, RTCIceCandidateInit).
import { AppError } from '../../errors.js'
import {
  CANDIDATE_MAX_BYTES,
  type Candidate,
  type CandidateInput,
  type CandidateObject,
  type CandidateOutcomes,
  type CandidatesRequest,
  M_LINE_INDEX_MAX,
  MID_MAX_LENGTH,
  type RejectedCandidate,
  UFRAG_MAX_LENGTH
} from '../../schemas/signal.js'

/** The valid candidates of a request in canonical form, and the rejected ones. */
export interface CandidateBatch {
  readonly candidates: readonly Candidate[]
  /** These are the last candidates of their generation. */
  readonly end?: boolean
  /** The index of each candidate in the request; by default its index in `candidates`. */
  readonly positions?: readonly number[]
  readonly rejected?: readonly RejectedCandidate[]
}

/** Of a request without candidates. */
export const NO_OUTCOMES: CandidateOutcomes = { accepted: 0, held: [], rejected: [] }

/** @throws AppError invalid_request; invalid_candidate or too_large if no candidate is valid */
export function readCandidates(request: CandidatesRequest): CandidateBatch {
  const batch = readOptionalCandidates(request)
  if (batch === undefined) throw new AppError('invalid_request', { detail: 'body must have candidates or end' })
  const [first] = batch.rejected ?? []
  if (first && batch.candidates.length === 0) {
    throw new AppError(first.code, { detail: first.detail, extra: { rejected: batch.rejected } })
  }
  return batch
}

/**
 * The candidates that a request may have besides a description; undefined: it has none, and no end. A `null` is the end of candidates, unless
 * others follow it: then it belongs to an older generation.
 */
export function readOptionalCandidates({ candidates: inputs, end }: CandidatesRequest): CandidateBatch | undefined {
  if (inputs === undefined && end === undefined) return undefined
  const candidates: Candidate[] = []
  const positions: number[] = []
  const rejected: RejectedCandidate[] = []
  let isEnded = false
  for (const [index, input] of (inputs ?? []).entries()) {
    isEnded = isEnd(input)
    if (isEnded) continue
    const candidate = toCandidate(input as CandidateObject | string)
    const refusal = refusalOf(candidate, index)
    if (refusal !== null) rejected.push(refusal)
    else {
      candidates.push(candidate)
      positions.push(index)
    }
  }
  return { candidates, end: end === true || isEnded, positions, rejected }
}

/** An empty candidate of a media section is a candidate: it ends that section only. */
function isEnd(input: CandidateInput): boolean {
  if (typeof input === 'string' || input === null) return !input
  return !input.candidate && isWithoutSection(input)
}

const isWithoutSection = ({ sdpMid, sdpMLineIndex }: CandidateObject): boolean =>
  (sdpMid ?? null) === null && (sdpMLineIndex ?? null) === null

/** A bare line has no media section. The first one is correct if all sections are bundled, as they are by default. */
function toCandidate(input: CandidateObject | string): Candidate {
  if (typeof input === 'string') return { candidate: canonicalLine(input), sdpMLineIndex: 0 }
  const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = input
  return {
    candidate: canonicalLine(candidate ?? ''),
    ...(typeof sdpMid === 'string' ? { sdpMid } : {}),
    ...(typeof sdpMLineIndex === 'number' ? { sdpMLineIndex } : {}),
    ...(typeof usernameFragment === 'string' ? { usernameFragment } : {})
  }
}

/** As in `RTCIceCandidate.candidate`: without the `a=` and the line end of a session description. */
function canonicalLine(text: string): string {
  // A line of spaces is invalid, and not the end of candidates.
  const line = text.trimEnd() || text
  return line.startsWith('a=') ? line.slice(2) : line
}

function refusalOf(candidate: Candidate, index: number): RejectedCandidate | null {
  const { candidate: line } = candidate
  if (Buffer.byteLength(line) > CANDIDATE_MAX_BYTES) {
    const detail = `candidates[${index}] is larger than ${CANDIDATE_MAX_BYTES} bytes`
    return { index, code: 'too_large', detail }
  }
  const fault = memberFault(candidate) ?? (line === '' ? null : lineFault(line))
  return fault === null ? null : { index, code: 'invalid_candidate', detail: `candidates[${index}]: ${fault}` }
}

const MID = new RegExp(`^[^\\u0000\\r\\n]{0,${MID_MAX_LENGTH}}$`)
const USERNAME_FRAGMENT = new RegExp(`^[!-~]{0,${UFRAG_MAX_LENGTH}}$`)

/** What is wrong beside the line; null: nothing. The schema has checked the types. */
function memberFault(candidate: Candidate): string | null {
  const { sdpMid = '', sdpMLineIndex = 0, usernameFragment = '' } = candidate
  if (isWithoutSection(candidate))
    return 'sdpMid and sdpMLineIndex are both missing or null; one of them must name the media section'
  if (!MID.test(sdpMid)) return `sdpMid must be at most ${MID_MAX_LENGTH} characters on one line`
  if (sdpMLineIndex < 0 || sdpMLineIndex > M_LINE_INDEX_MAX)
    return `sdpMLineIndex must be a number from 0 to ${M_LINE_INDEX_MAX}`
  if (USERNAME_FRAGMENT.test(usernameFragment)) return null
  return `usernameFragment must be at most ${UFRAG_MAX_LENGTH} visible ASCII characters`
}

const PREFIX = 'candidate:'

const isNumberUpTo = (max: number) => (text: string) => /^\d{1,10}$/.test(text) && Number(text) <= max

/** RFC 8839 section 5.1, in order. The foundation may be empty and have any visible characters, because several stacks send such. */
const FIELDS: readonly (readonly [name: string, rule: string, isValid: (text: string) => boolean])[] = [
  ['foundation', 'at most 32 visible characters', text => /^[!-~]{0,32}$/.test(text)],
  ['component', 'a number up to 256', isNumberUpTo(256)],
  ['transport', 'a word such as udp or tcp', text => /^[A-Za-z0-9-]{1,16}$/.test(text)],
  ['priority', 'a number below 2^32', isNumberUpTo(2 ** 32 - 1)],
  ['address', 'an IP address or a host name', text => /^[A-Za-z0-9.:%_-]{1,255}$/.test(text)],
  ['port', 'a number up to 65535', isNumberUpTo(65535)],
  ['seventh field', '"typ"', text => text === 'typ'],
  ['type', 'a word such as host, srflx or relay', text => /^[a-z]{1,16}$/.test(text)]
]

/** The first mistake in the line; null: none. Extensions after the type are not checked: they are for the peer. */
export function lineFault(line: string): string | null {
  if (!line.startsWith(PREFIX)) return `it must begin with "${PREFIX}" (RFC 8839 section 5.1)`
  const texts = line.slice(PREFIX.length).split(' ', FIELDS.length)
  for (const [i, [name, rule, isValid]] of FIELDS.entries()) {
    const text = texts[i]
    if (text === undefined) return `it has no ${name} (RFC 8839 section 5.1)`
    if (!isValid(text)) return `its ${name} must be ${rule} (RFC 8839 section 5.1)`
  }
  return /[\u0000-\u001f\u007f]/.test(line) ? 'it contains a control character' : null
}

const UFRAG = / ufrag (\S+)/

/** The generation that the candidate names; null: it belongs to the current one. */
export function ufragOf(candidate: Candidate): string | null {
  return candidate.usernameFragment || UFRAG.exec(candidate.candidate)?.[1] || null
}
