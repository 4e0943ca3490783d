// Where the server and Chromium disagree about a description or a candidate, and why. test/browser/negotiation.test.ts holds that there is
// nothing else, and that each row occurs.

export interface Disagreement {
  /** Matches what the refusal says: the detail of the problem, or the message of the exception. */
  readonly refusal: RegExp
  readonly reason: string
}

/** Refused by the server, accepted by `setRemoteDescription`. */
export const OFFERS_REFUSED_HERE: readonly Disagreement[] = [
  {
    refusal: /no m= line/,
    reason:
      'Nothing can be negotiated. The usual cause is an offer that is created before a track or data channel is added.'
  },
  { refusal: /v=0/, reason: 'RFC 8866 section 5.1 has no other version. Chromium does not read it.' },
  { refusal: /NUL/, reason: 'RFC 8866 section 9 has no NUL in any value. C stacks would see the end of the text.' },
  {
    refusal: /carriage return/,
    reason: 'RFC 8866 section 9 has none in a line. Parsers disagree about whether it ends the line.'
  }
]

/** Relayed by the server, refused by `setRemoteDescription`. */
export const OFFERS_REFUSED_THERE: readonly Disagreement[] = [
  {
    refusal: /without ice-ufrag and ice-pwd|Invalid ICE parameters/,
    reason:
      'Chromium needs a ufrag and a password, of certain lengths and characters, in each section that is not bundled. Other stacks do not.'
  },
  {
    refusal: /without DTLS fingerprint|BUNDLE|Duplicate a=mid|description send parameters/,
    reason: 'How media is secured, bundled and sent is between the peers.'
  },
  {
    refusal: /SessionDescription\. [abc]=/,
    reason:
      'The values of attributes, addresses and bandwidths are between the peers: extensions of all stacks are passed on.'
  },
  {
    refusal: /SessionDescription\. (?:m=.*Invalid value|.*codecs)/,
    reason: 'RFC 8866 section 5.14 leaves the formats of a media section to its protocol.'
  },
  {
    refusal: /SessionDescription\. m=\S+ \d+\/\d+ .*port number/,
    reason: 'RFC 8866 section 5.14 has a number of ports. No browser makes one.'
  }
]

/** Refused by the server, accepted by `addIceCandidate`. */
export const CANDIDATES_REFUSED_HERE: readonly Disagreement[] = [
  { refusal: /foundation/, reason: 'RFC 8839 section 5.1 has at most 32 characters, and none that are not ASCII.' },
  { refusal: /component/, reason: 'RFC 8839 section 5.1 has at most 256, and no negative ones. WebRTC uses 1 and 2.' },
  { refusal: /address/, reason: 'It is no IP address and no host name, so no candidate pair can be made of it.' },
  { refusal: /control character/, reason: 'RFC 8839 section 5.1 has visible characters only.' }
]

/** Relayed by the server, refused by `addIceCandidate`. Its message does not say why, so these match the line. */
export const CANDIDATES_REFUSED_THERE: readonly Disagreement[] = [
  {
    refusal: /^candidate:\S* \d+ (?!(?:udp|tcp|ssltcp) )/i,
    reason: 'RFC 8839 section 5.1 allows other transports, and a peer ignores those it does not know.'
  },
  {
    refusal: / typ (?!(?:host|srflx|prflx|relay)(?: |$))/,
    reason: 'RFC 8839 section 5.1 allows other types, and a peer ignores those it does not know.'
  },
  {
    refusal:
      / tcptype (?!(?:active|passive|so)(?: |$))| (?:generation|rport|network-id|network-cost) (?!\d{1,3}(?: |$))|^candidate:\S* \d+ udp .* tcptype /i,
    reason: 'The values of extensions are between the peers. Chromium refuses some values of those that it knows.'
  }
]

export const explains = (rows: readonly Disagreement[], refusal: string): Disagreement | undefined =>
  rows.find(row => row.refusal.test(refusal))
