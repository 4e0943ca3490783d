// The syntax of ICE candidates: what clients send, and the canonical form that is passed on (W3C WebRTC, RTCIceCandidateInit).
import { AppError } from '../../errors.js'
import {
  CANDIDATE_MAX_BYTES,
  type Candidate,
  type CandidateInput,
  type CandidateObject,
  type CandidatesRequest,
  type RejectedCandidate
} from '../../schemas/signal.js'

/** Candidates that were read. Those with a mistake in them are among the rejected. */
export interface CandidateBatch {
  readonly candidates: readonly Candidate[]
  /** They are the last ones of their generation. */
  readonly end?: boolean
  /** Where each of the candidates stands in the request; without it, where it stands here. */
  readonly positions?: readonly number[]
  readonly rejected?: readonly RejectedCandidate[]
}

/**
 * A `null` among the candidates ends them, unless others follow it: then it belongs to an older generation.
 * @throws AppError invalid_request; invalid_candidate or too_large if each of the candidates has a mistake in it
 */
export function readCandidates({ candidates: inputs, end }: CandidatesRequest): CandidateBatch {
  if (inputs === undefined && end === undefined) {
    throw new AppError('invalid_request', { detail: 'body must have candidates or end' })
  }
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
  const [first] = rejected
  if (first && candidates.length === 0) throw new AppError(first.code, { detail: first.detail, extra: { rejected } })
  return { candidates, end: end === true || isEnded, positions, rejected }
}

/** An empty candidate of a media section is a candidate: it ends that section only. */
function isEnd(input: CandidateInput): boolean {
  if (typeof input === 'string' || input === null) return !input
  return !input.candidate && isWithoutSection(input)
}

const isWithoutSection = ({ sdpMid, sdpMLineIndex }: CandidateObject): boolean =>
  (sdpMid ?? null) === null && (sdpMLineIndex ?? null) === null

/** A bare line cannot name its media section. The first one is right where all sections are bundled, as they are by default. */
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

/** As it stands in `RTCIceCandidate.candidate`, and not as a line of a session description. */
function canonicalLine(text: string): string {
  // A line of nothing but spaces is no end of candidates.
  const line = text.trimEnd() || text
  return line.startsWith('a=') ? line.slice(2) : line
}

function refusalOf(candidate: Candidate, index: number): RejectedCandidate | null {
  const { candidate: line } = candidate
  if (Buffer.byteLength(line) > CANDIDATE_MAX_BYTES) {
    const detail = `candidates[${index}] is larger than ${CANDIDATE_MAX_BYTES} bytes`
    return { index, code: 'too_large', detail }
  }
  const fault = isWithoutSection(candidate) ? NO_SECTION : line === '' ? null : faultOf(line)
  return fault === null ? null : { index, code: 'invalid_candidate', detail: `candidates[${index}]: ${fault}` }
}

const NO_SECTION = 'sdpMid and sdpMLineIndex are both missing or null; one of them has to name the media section'

const PREFIX = 'candidate:'

const isNumberUpTo = (max: number) => (text: string) => /^\d{1,10}$/.test(text) && Number(text) <= max

/** RFC 8839 section 5.1, in order. The foundation may be empty and has any visible characters: several stacks make such. */
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

/** What is wrong with the line; null: nothing. The extensions behind the type are between the peers. */
function faultOf(line: string): string | null {
  if (!line.startsWith(PREFIX)) return `it has to begin with "${PREFIX}" (RFC 8839 section 5.1)`
  const texts = line.slice(PREFIX.length).split(' ', FIELDS.length)
  for (const [i, [name, rule, isValid]] of FIELDS.entries()) {
    const text = texts[i]
    if (text === undefined) return `it has no ${name} (RFC 8839 section 5.1)`
    if (!isValid(text)) return `its ${name} has to be ${rule} (RFC 8839 section 5.1)`
  }
  return /[\u0000-\u001f\u007f]/.test(line) ? 'it has a control character in it' : null
}

const UFRAG = / ufrag (\S+)/

/** The generation that the candidate names; null: it belongs to the current one. */
export function ufragOf(candidate: Candidate): string | null {
  return candidate.usernameFragment || UFRAG.exec(candidate.candidate)?.[1] || null
}
