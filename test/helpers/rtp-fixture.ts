// RTP parameters and capabilities as browsers have them.

const FEEDBACK = [
  { type: 'nack' },
  { type: 'nack', parameter: 'pli' },
  { type: 'ccm', parameter: 'fir' },
  { type: 'transport-cc' }
]
const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid'
const RID = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id'
const H264 = { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 }

export const OPUS = {
  mid: '0',
  codecs: [
    { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: { useinbandfec: 1 } }
  ],
  headerExtensions: [{ uri: MID, id: 4 }],
  encodings: [{ ssrc: 1_000_001, dtx: true }],
  rtcp: { cname: 'alice', reducedSize: true }
}

/** Three spatial layers with three temporal layers each, as Chromium sends them. */
export const VP8_SIMULCAST = {
  mid: '1',
  codecs: [
    { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, parameters: {}, rtcpFeedback: FEEDBACK },
    { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } }
  ],
  headerExtensions: [
    { uri: MID, id: 4 },
    { uri: RID, id: 10 }
  ],
  encodings: ['r0', 'r1', 'r2'].map((rid, index) => ({
    rid,
    scaleResolutionDownBy: 4 / 2 ** index,
    maxBitrate: 100_000 * 3 ** index,
    scalabilityMode: 'L1T3'
  })),
  rtcp: { cname: 'alice', reducedSize: true }
}

export const H264_SIMULCAST = {
  ...VP8_SIMULCAST,
  mid: '2',
  codecs: [
    { mimeType: 'video/H264', payloadType: 106, clockRate: 90_000, parameters: H264, rtcpFeedback: FEEDBACK },
    { mimeType: 'video/rtx', payloadType: 107, clockRate: 90_000, parameters: { apt: 106 } }
  ]
}

export const VP9_SVC = {
  mid: '3',
  codecs: [
    {
      mimeType: 'video/VP9',
      payloadType: 98,
      clockRate: 90_000,
      parameters: { 'profile-id': 0 },
      rtcpFeedback: FEEDBACK
    }
  ],
  headerExtensions: [{ uri: MID, id: 4 }],
  encodings: [{ ssrc: 1_000_002, scalabilityMode: 'L3T3_KEY' }],
  rtcp: { cname: 'alice' }
}

/** With these payload types a router by default gives RTX of VP8 the one of VP9. */
export const VIEWER = {
  codecs: [
    { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 109 },
    { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, preferredPayloadType: 120, rtcpFeedback: FEEDBACK },
    { kind: 'video', mimeType: 'video/rtx', clockRate: 90_000, preferredPayloadType: 124, parameters: { apt: 120 } },
    {
      kind: 'video',
      mimeType: 'video/VP9',
      clockRate: 90_000,
      preferredPayloadType: 100,
      parameters: { 'profile-id': 0 }
    },
    { kind: 'video', mimeType: 'video/H264', clockRate: 90_000, preferredPayloadType: 126, parameters: H264 }
  ],
  headerExtensions: [{ kind: 'video', uri: MID, preferredId: 3 }]
}

const fingerprint = (algorithm: string, bytes: number, hex: string) => ({
  algorithm,
  value: Array.from({ length: bytes }, () => hex).join(':')
})

export const DTLS = { role: 'client', fingerprints: [fingerprint('sha-256', 32, 'AB'), fingerprint('sha-1', 20, 'CD')] }
export const OTHER_DTLS = { role: 'client', fingerprints: [fingerprint('sha-256', 32, 'EF')] }
