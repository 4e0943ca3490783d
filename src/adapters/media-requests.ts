// The bodies and paths of the requests to a media service (openapi/media-service.yaml).

/** A participant of a session: everything of a participant lies beneath it. */
export interface MediaOwner {
  readonly sessionId: string
  readonly participantId: string
}

export interface SessionRequest {
  readonly roomId: string
  /** The name of the service, by which it pushes events. */
  readonly service: string
  readonly idleTimeoutMs: number
  readonly confirmAfterMs: number
  /** For each participant. */
  readonly limits: Readonly<
    Record<'transports' | 'producers' | 'consumers' | 'dataProducers' | 'dataConsumers', number>
  >
}

export interface TransportRequest {
  /** The version of the room at which the participant joined. */
  readonly since: number
  readonly enableTcp?: boolean
  readonly enableSctp?: boolean
  readonly numSctpStreams?: object
  readonly initialAvailableOutgoingBitrate?: number
  /** Of a viewer who made the offer: its consumers use these payload types, if they are created with exactPayloadTypes. */
  readonly rtpCapabilities?: object
}

export interface ProducerRequest {
  readonly transportId: string
  readonly kind: 'audio' | 'video'
  readonly rtpParameters: object
  readonly paused: boolean
  readonly closings: number
}

export interface ConsumerRequest {
  readonly transportId: string
  readonly producer: { readonly participantId: string; readonly producerId: string }
  readonly rtpCapabilities: object
  readonly preferredLayers?: object
  /** The RTP that is sent has the payload types of rtpCapabilities instead of the router's. */
  readonly exactPayloadTypes?: boolean
}

export interface ConsumerChange {
  readonly paused?: boolean
  readonly preferredLayers?: object
  readonly priority?: number
}

export interface DataProducerRequest {
  readonly transportId: string
  readonly sctpStreamParameters: object
  readonly label: string
  readonly protocol: string
  readonly closings: number
}

export interface DataConsumerRequest {
  readonly transportId: string
  readonly dataProducer: { readonly participantId: string; readonly dataProducerId: string }
}

export const MEDIA_KINDS = ['transports', 'producers', 'consumers', 'data-producers', 'data-consumers'] as const
/** What a participant has on the service, as segment of a path. */
export type MediaKind = (typeof MEDIA_KINDS)[number]
/** What is created with the number of closings of its participant before: a request to close it that is late closes no newer one. */
export type NumberedKind = 'producers' | 'data-producers'
