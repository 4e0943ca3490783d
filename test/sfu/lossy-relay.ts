// A UDP relay between a viewer and the media service that loses media packets on their way to the viewer.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface LossyRelay {
  readonly port: number
  /** Packets that were lost. */
  lost(): number
}

/** Loses every `period`-th packet of media. The media service is at the UDP candidate of the answer. */
export async function startLossyRelay(t: Test, answer: string, period: number): Promise<LossyRelay> {
  const [, host = '', port = ''] = /^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/im.exec(answer) ?? []
  const [inner, outer] = [await openSocket(t), await openSocket(t)]
  let viewer: { readonly address: string; readonly port: number } | null = null
  let [count, lost] = [0, 0]
  inner.on('message', (packet, from) => {
    viewer = from
    outer.send(packet, Number(port), host)
  })
  outer.on('message', packet => {
    if (isMedia(packet) && ++count % period === 0) return void lost++
    if (viewer) inner.send(packet, viewer.port, viewer.address)
  })
  return { port: (inner.address() as AddressInfo).port, lost: () => lost }
}

async function openSocket(t: Test): Promise<Socket> {
  const socket = createSocket('udp4')
  await once(socket.bind(0, '127.0.0.1'), 'listening')
  t.teardown(() => socket.close())
  return socket
}

/** RTP and not RTCP, DTLS or STUN (RFC 7983 section 7, RFC 5761 section 4). */
function isMedia(packet: Buffer): boolean {
  const [first = 0, second = 0] = packet
  return first >= 128 && first < 192 && (second < 192 || second > 223)
}
