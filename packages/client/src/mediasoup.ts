// The part of mediasoup-client that rooms in mode sfu use. It is an optional peer dependency, so its own types may be missing.

/** `() => import('mediasoup-client')` */
export type MediasoupLoader = () => Promise<Mediasoup | { readonly default: Mediasoup }>

export interface Mediasoup {
  readonly Device: new () => MsDevice
}

export interface MsDevice {
  readonly recvRtpCapabilities: object
  load(options: { routerRtpCapabilities: object }): Promise<void>
  createSendTransport(options: object): MsTransport
  createRecvTransport(options: object): MsTransport
}

type Fail = (error: Error) => void

export interface MsTransport {
  readonly id: string
  readonly closed: boolean
  on(type: 'connect', listener: (data: { dtlsParameters: object }, done: () => void, fail: Fail) => void): void
  on(
    type: 'produce',
    listener: (
      data: { kind: string; rtpParameters: object; appData: object },
      done: (created: { id: string }) => void,
      fail: Fail
    ) => void
  ): void
  on(type: 'connectionstatechange', listener: (state: string) => void): void
  produce(options: object): Promise<MsProducer>
  consume(options: object): Promise<MsConsumer>
  restartIce(parameters: object): Promise<void>
  close(): void
}

export interface MsProducer {
  readonly id: string
  readonly track: MediaStreamTrack | null
  readonly paused: boolean
  pause(): void
  resume(): void
  replaceTrack(options: { track: MediaStreamTrack }): Promise<void>
  getStats(): Promise<RTCStatsReport>
  close(): void
}

export interface MsConsumer {
  readonly id: string
  readonly track: MediaStreamTrack
  getStats(): Promise<RTCStatsReport>
  close(): void
}
