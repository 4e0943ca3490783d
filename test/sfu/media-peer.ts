// Real peers that send a picture and a tone to the media service, or receive what others send. SDP is translated by src/domain/whip.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Test } from 'tap'
import { answerPublication, readPublication } from '../../src/domain/whip/publication.js'
import type { CompleteRtpCapabilities, TransportDescription } from '../../src/domain/whip/rtp.js'
import { answerView, readView } from '../../src/domain/whip/view.js'
import type { RtpParameters } from '../../src/schemas/sfu-rtp.js'
import type { SessionUnderTest } from '../helpers/media-contract-cases.js'
import type { PeerConnection } from '../helpers/webrtc.js'

interface Track {
  stop(): void
}
interface MediaConnection extends PeerConnection {
  addTransceiver(track: Track | 'audio' | 'video', options: object): object
}
interface WebRtc {
  readonly RTCPeerConnection: new () => MediaConnection
  readonly nonstandard: {
    readonly RTCVideoSource: new () => { createTrack(): Track; onFrame(frame: object): void }
    readonly RTCAudioSource: new () => { createTrack(): Track; onData(data: object): void }
  }
}

const { RTCPeerConnection, nonstandard } = createRequire(import.meta.url)('@roamhq/wrtc') as WebRtc
const [WIDTH, HEIGHT, FRAME_MS] = [160, 120, 40]
const [SAMPLE_RATE, TONE_HZ, SAMPLES_MS] = [48_000, 440, 10]

async function completeOffer(connection: PeerConnection): Promise<string> {
  await connection.setLocalDescription(await connection.createOffer())
  while (connection.iceGatheringState !== 'complete') await once(connection, 'icegatheringstatechange')
  return connection.localDescription?.sdp ?? ''
}

/** Closed after the test, if it is not before. */
function connectionFor(t: Test): MediaConnection {
  const connection = new RTCPeerConnection()
  t.teardown(() => connection.close())
  return connection
}

export interface Publisher {
  /** As a page that is closed does. */
  close(): void
  speak(isLoud: boolean): void
}

/** Publishes `camera` and `microphone`, both simple, by the transport `send`. */
export async function publish(t: Test, session: SessionUnderTest, participantId: string): Promise<Publisher> {
  const connection = connectionFor(t)
  const video = new nonstandard.RTCVideoSource()
  const audio = new nonstandard.RTCAudioSource()
  const tracks = [video.createTrack(), audio.createTrack()]
  for (const track of tracks) connection.addTransceiver(track, { direction: 'sendonly' })
  // The process does not end before they are stopped.
  t.teardown(() => {
    for (const track of tracks) track.stop()
  })
  const publication = readPublication(await completeOffer(connection), { router: session.capabilities })
  const transport = await session.transport(participantId, 'send')
  const base = `/participants/${participantId}`
  const { dtlsParameters } = publication
  await session.expect(204, 'POST', `${base}/transports/send/connect`, { dtlsParameters })
  for (const { kind, rtpParameters } of publication.media) {
    const body = { transportId: 'send', kind, rtpParameters, paused: false }
    await session.expect(200, 'PUT', `${base}/producers/${kind === 'video' ? 'camera' : 'microphone'}`, body)
  }
  const sdp = answerPublication(publication, transport as unknown as TransportDescription, '1')
  await connection.setRemoteDescription({ type: 'answer', sdp })
  const volume = { amplitude: 0 }
  const timers = [setInterval(pictures(video), FRAME_MS), setInterval(tone(audio, volume), SAMPLES_MS)]
  t.teardown(() => timers.forEach(clearInterval))
  return {
    close: () => connection.close(),
    speak: isLoud => {
      volume.amplitude = isLoud ? 16_000 : 0
    }
  }
}

/** A grey picture that changes, so that every frame is encoded. */
function pictures(source: { onFrame(frame: object): void }): () => void {
  let count = 0
  return () => {
    const data = new Uint8ClampedArray((WIDTH * HEIGHT * 3) / 2).fill(16 + (count++ % 200))
    source.onFrame({ width: WIDTH, height: HEIGHT, data })
  }
}

function tone(source: { onData(data: object): void }, volume: { readonly amplitude: number }): () => void {
  const count = (SAMPLE_RATE * SAMPLES_MS) / 1000
  let phase = 0
  return () => {
    const samples = Int16Array.from({ length: count }, () => {
      phase += (2 * Math.PI * TONE_HZ) / SAMPLE_RATE
      return Math.round(Math.sin(phase) * volume.amplitude)
    })
    source.onData({ samples, sampleRate: SAMPLE_RATE, bitsPerSample: 16, channelCount: 1, numberOfFrames: count })
  }
}

export interface Viewer {
  /** Decoded pictures so far. */
  framesDecoded(): Promise<number>
}

/** Receives `camera` and `microphone` of a participant with the payload types of its own offer. */
export async function view(t: Test, session: SessionUnderTest, source: string): Promise<Viewer> {
  const connection = connectionFor(t)
  for (const kind of ['video', 'audio'] as const) connection.addTransceiver(kind, { direction: 'recvonly' })
  const viewing = readView(await completeOffer(connection))
  const { dtlsParameters } = viewing
  const transport = await session.transport('viewer', 'receive', { rtpCapabilities: unionOf(viewing.media) })
  await session.expect(204, 'POST', '/participants/viewer/transports/receive/connect', { dtlsParameters })
  const consumers: RtpParameters[] = []
  for (const { kind, rtpCapabilities } of viewing.media) {
    const producer = { participantId: source, producerId: kind === 'video' ? 'camera' : 'microphone' }
    const body = { transportId: 'receive', producer, rtpCapabilities, exactPayloadTypes: true }
    const { rtpParameters } = await session.expect(200, 'PUT', `/participants/viewer/consumers/${kind}`, body)
    consumers.push(rtpParameters as RtpParameters)
  }
  const description = { transport: transport as unknown as TransportDescription, sessionNumber: '2' }
  await connection.setRemoteDescription({ type: 'answer', sdp: answerView(viewing, consumers, description) })
  for (const kind of ['video', 'audio'])
    await session.expect(200, 'PATCH', `/participants/viewer/consumers/${kind}`, { paused: false })
  return {
    async framesDecoded() {
      const stats = [...(await connection.getStats()).values()]
      return Number(stats.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')?.framesDecoded ?? 0)
    }
  }
}

const unionOf = (media: readonly { readonly rtpCapabilities: CompleteRtpCapabilities }[]) => ({
  codecs: media.flatMap(({ rtpCapabilities }) => rtpCapabilities.codecs),
  headerExtensions: media.flatMap(({ rtpCapabilities }) => rtpCapabilities.headerExtensions)
})
