// The syntax of session descriptions: what is refused, the text that is passed on, and the ICE generation (RFC 8866, RFC 8839).
// A description is refused if the server needs what it lacks, or if it breaks RFC 8866 in a way that browsers refuse too. All else, such as
// codecs, ICE passwords and fingerprints, is between the peers.
import { createHash } from 'node:crypto'
import { AppError } from '../../errors.js'
import { DEFAULT_MAX_SDP_BYTES, UFRAG_MAX_LENGTH } from '../../schemas/signal.js'

export interface Description {
  /** As it was sent; blank lines at the end are removed, and a missing line end is added. */
  readonly sdp: string
  /**
   * ICE username fragments: one for a bundled session, else one for each media section (RFC 8839 section 5.4). None if all sections are
   * rejected.
   */
  readonly ufrags: readonly string[]
  /** SHA-1 of the text, to recognize a retry. */
  readonly digest: string
}

/** Far more media sections than any call has; each may have its own ICE credentials. */
const UFRAG_LINES_MAX = 64

/**
 * Takes time linear in the length of the text.
 * @throws AppError invalid_sdp with the line and the reason; too_large
 */
export function parseDescription(text: string, maxBytes = DEFAULT_MAX_SDP_BYTES): Description {
  const sdp = withOneLineEnd(text)
  if (Buffer.byteLength(sdp) > maxBytes) {
    throw new AppError('too_large', { detail: `The session description is larger than ${maxBytes} bytes` })
  }
  const ufrags = new Set<string>()
  const scan: Scan = { sessionLetter: 's', hasTime: false, sections: 0, activeSection: 0, ufragLines: 0, ufrags }
  let number = 0
  for (const line of sdp.slice(0, -1).split('\n')) {
    number++
    const fault = faultOf(line.endsWith('\r') ? line.slice(0, -1) : line, number, scan)
    if (fault !== null) throw invalidSdp(`Line ${number}: ${fault}`)
  }
  if (scan.sections === 0) throw invalidSdp(NO_MEDIA)
  if (scan.activeSection > 0 && ufrags.size === 0) {
    throw invalidSdp(`Line ${scan.activeSection}: the media section has no a=ice-ufrag line (RFC 8839 section 5.4)`)
  }
  return { sdp, ufrags: [...ufrags], digest: createHash('sha1').update(sdp).digest('base64url') }
}

const NO_MEDIA = 'It has no m= line (RFC 8866 section 5.14): add a track or data channel before you create it'

const invalidSdp = (detail: string) => new AppError('invalid_sdp', { detail })

function withOneLineEnd(text: string): string {
  const end = text.indexOf('\n', text.trimEnd().length)
  if (end >= 0) return text.slice(0, end + 1)
  return text + (text.includes('\r\n') ? '\r\n' : '\n')
}

/** What the lines read so far contain. */
interface Scan {
  /** The letter of the last line that belongs to the session. */
  sessionLetter: string
  hasTime: boolean
  sections: number
  /** The line of the first media section that is not rejected; 0: none yet. */
  activeSection: number
  ufragLines: number
  readonly ufrags: Set<string>
}

/** RFC 8866 section 5: a letter, `=` and a value, without a space around the `=`. Only the value of `s=` may begin with a space. */
const LINE = /^(?:[a-z]=(?! )|s=)[^\0\r]+$/
const UFRAG_PREFIX = 'a=ice-ufrag:'
const UFRAG = new RegExp(`^[!-~]{1,${UFRAG_MAX_LENGTH}}$`)

/** What is wrong with a line; null: nothing. */
function faultOf(line: string, number: number, scan: Scan): string | null {
  if (!LINE.test(line)) return lineFault(line, number)
  if (number <= FIRST_LINES.length) return firstLineFault(line, number)
  if (line.startsWith('m=')) return mediaFault(line, number, scan)
  const fault = scan.sections === 0 ? sessionFault(line.charAt(0), scan) : null
  if (fault !== null || !line.startsWith(UFRAG_PREFIX)) return fault
  return ufragFault(line.slice(UFRAG_PREFIX.length), scan)
}

/** RFC 8866 section 5 */
const FIRST_LINES = ['v=0', 'o=', 's='] as const

const NO_VERSION = 'the first line has to be v=0 (RFC 8866 section 5.1)'

function lineFault(line: string, number: number): string {
  if (line.startsWith('\ufeff')) return 'a byte order mark'
  if (number === 1 && !line.startsWith('v=0')) return NO_VERSION
  if (line.trim() === '') return 'a blank line inside the description'
  if (line.includes('\0')) return 'a NUL character'
  if (line.includes('\r')) return 'a carriage return without a newline'
  return 'a line has to read <letter>=<value> (RFC 8866 section 5)'
}

function firstLineFault(line: string, number: number): string | null {
  const start = FIRST_LINES[number - 1] ?? ''
  if (number === 1) return line === start ? null : NO_VERSION
  if (!line.startsWith(start)) return `no ${start} line here; v=, o= and s= come first (RFC 8866 section 5)`
  if (start !== 'o=') return null
  const { length } = line.split(' ')
  return length === 6 ? null : `o= has ${length} fields instead of 6; none may contain a space (RFC 8866 section 5.2)`
}

/** RFC 8866 section 5, in order. Unlike those of media sections, these lines are refused by browsers if they are out of order. */
const SESSION_LETTERS = 'vosiuepcbtrzka'
const REPEATABLE = 'epbtra'

function sessionFault(letter: string, scan: Scan): string | null {
  const [before, here] = [scan.sessionLetter, letter].map(each => SESSION_LETTERS.indexOf(each)) as [number, number]
  if (here < 0) return `${letter}= is no line of a session (RFC 8866 section 5)`
  const isNextTime = letter === 't' && scan.sessionLetter === 'r'
  if (here < before && !isNextTime) return `${letter}= is out of order (RFC 8866 section 5)`
  if (here === before && !REPEATABLE.includes(letter)) return `${letter}= is there twice (RFC 8866 section 5)`
  scan.sessionLetter = letter
  scan.hasTime ||= letter === 't'
  return null
}

function mediaFault(line: string, number: number, scan: Scan): string | null {
  if (!scan.hasTime) return 'no t= line stands before the first m= line (RFC 8866 section 5.9)'
  const [, port = '', , format] = line.split(' ', 4)
  if (format === undefined) return 'm= has less than 4 fields: media, port, protocol, formats (RFC 8866 section 5.14)'
  if (!/^\d{1,5}(?:\/\d{1,5})?$/.test(port) || Number.parseInt(port, 10) > 65535) {
    return 'the port of m= has to be a number up to 65535 (RFC 8866 section 5.14)'
  }
  scan.sections++
  // A rejected section has port 0 (RFC 8829 section 5.3.1) and needs no ICE.
  if (Number.parseInt(port, 10) > 0) scan.activeSection ||= number
  return null
}

function ufragFault(ufrag: string, scan: Scan): string | null {
  if (++scan.ufragLines > UFRAG_LINES_MAX) return `more than ${UFRAG_LINES_MAX} lines a=ice-ufrag`
  if (!UFRAG.test(ufrag)) return `an ICE ufrag has 1 to ${UFRAG_MAX_LENGTH} visible ASCII characters`
  scan.ufrags.add(ufrag)
  return null
}
