// One WebRTC stack of the corpus. All of it is written for this repository, in the shape in which the stack writes it.
import type { CandidateInput } from '../../src/schemas/signal.js'

export interface CorpusDescription {
  readonly name: string
  readonly sdp: string
}

export interface Stack {
  readonly name: string
  readonly descriptions: readonly CorpusDescription[]
  /** As the stack's users send them. */
  readonly candidates: readonly CandidateInput[]
}

/** Lines that end with CRLF, the last one too. */
export const crlf = (text: string): string => `${text.trim().replaceAll('\n', '\r\n')}\r\n`

export const SHA_256 = 'D1:2C:BE:AD:C4:F6:64:5C:25:16:11:9C:AF:E7:0F:73:79:36:4E:9C:1E:15:54:39:0C:06:8B:ED:96:86:00:39'
