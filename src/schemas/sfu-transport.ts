// Transports of the SFU: what mediasoup needs to connect one.
import { type Static, Type } from 'typebox'
import { Strict, TransportId } from './common.js'

const Open = { additionalProperties: true } as const
const UINT16 = { minimum: 0, maximum: 65_535 }

export const DtlsParameters = Type.Object(
  {
    role: Type.Optional(
      Type.Enum(['auto', 'client', 'server'], { $id: 'DtlsRole', description: 'Which side starts the handshake.' })
    ),
    fingerprints: Type.Array(
      Type.Object(
        {
          algorithm: Type.String({ maxLength: 32, description: 'Such as `sha-256`.' }),
          value: Type.String({ maxLength: 255, description: 'Of the certificate (RFC 8122).' })
        },
        { $id: 'DtlsFingerprint', description: 'A fingerprint of the certificate.', ...Open }
      ),
      { minItems: 1, maxItems: 16 }
    )
  },
  { $id: 'DtlsParameters', description: '`DtlsParameters` of mediasoup.', ...Open }
)
export type DtlsParameters = Static<typeof DtlsParameters>

export const IceParameters = Type.Object(
  {
    usernameFragment: Type.String({ maxLength: 256, description: 'ICE ufrag (RFC 8839).' }),
    password: Type.String({ maxLength: 256, description: 'ICE password (RFC 8839).' }),
    iceLite: Type.Optional(Type.Boolean())
  },
  { $id: 'IceParameters', description: '`IceParameters` of mediasoup.', ...Open }
)
export type IceParameters = Static<typeof IceParameters>

/** mediasoup calls the address `ip`; since 3.13 also `address`. Replies have both. */
export const MediaIceCandidate = Type.Object(
  {
    foundation: Type.String({ maxLength: 64, description: 'ICE foundation (RFC 8839).' }),
    priority: Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'ICE priority (RFC 8445).' }),
    ip: Type.Optional(Type.String({ maxLength: 255, description: 'The same as `address`.' })),
    address: Type.Optional(Type.String({ maxLength: 255, description: 'IP address or host name.' })),
    protocol: Type.String({ maxLength: 8, description: '`udp` or `tcp`.' }),
    port: Type.Integer({ ...UINT16, description: 'Port.' }),
    type: Type.String({ maxLength: 16, description: 'Such as `host`.' }),
    tcpType: Type.Optional(Type.String({ maxLength: 16, description: 'Such as `passive`.' }))
  },
  { $id: 'MediaIceCandidate', description: '`IceCandidate` of mediasoup.', ...Open }
)
export type MediaIceCandidate = Static<typeof MediaIceCandidate>

export const SctpParameters = Type.Object(
  {
    port: Type.Integer({ ...UINT16, description: 'SCTP port.' }),
    OS: Type.Integer({ ...UINT16, description: 'Outgoing SCTP streams.' }),
    MIS: Type.Integer({ ...UINT16, description: 'Maximum incoming SCTP streams.' }),
    maxMessageSize: Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'In bytes.' })
  },
  { $id: 'SctpParameters', description: '`SctpParameters` of mediasoup.', ...Open }
)
export type SctpParameters = Static<typeof SctpParameters>

export const NumSctpStreams = Type.Object(
  {
    OS: Type.Integer({ minimum: 1, maximum: 65_535, description: 'Outgoing SCTP streams.' }),
    MIS: Type.Integer({ minimum: 1, maximum: 65_535, description: 'Maximum incoming SCTP streams.' })
  },
  { $id: 'NumSctpStreams', description: '`NumSctpStreams` of mediasoup.', ...Strict }
)

/** Options that the media service takes as they are. */
export const TRANSPORT_OPTIONS = {
  enableTcp: Type.Optional(Type.Boolean({ description: 'Offer TCP candidates too.' })),
  enableSctp: Type.Optional(Type.Boolean({ description: 'Prepare the transport for data channels.' })),
  numSctpStreams: Type.Optional(NumSctpStreams),
  initialAvailableOutgoingBitrate: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'Bits a second to begin with.' })
  )
}

export const CreateTransportRequest = Type.Object(
  {
    transportId: Type.Optional(
      TransportId('An id of your own, such as `send`. A retry with the same id returns the same transport.')
    ),
    ...TRANSPORT_OPTIONS
  },
  { $id: 'CreateTransportRequest', ...Strict }
)
export type CreateTransportRequest = Static<typeof CreateTransportRequest>

export const MediaTransport = Type.Object(
  {
    id: TransportId(),
    iceParameters: IceParameters,
    iceCandidates: Type.Array(MediaIceCandidate),
    dtlsParameters: DtlsParameters,
    sctpParameters: Type.Optional(SctpParameters)
  },
  {
    $id: 'MediaTransport',
    description: 'A transport. Pass it to `createSendTransport` or `createRecvTransport` of mediasoup-client as it is.',
    ...Strict
  }
)
export type MediaTransport = Static<typeof MediaTransport>
export const MediaTransportReply = Type.Object({ transport: MediaTransport }, { $id: 'MediaTransportReply', ...Strict })
export type MediaTransportReply = Static<typeof MediaTransportReply>

export const ConnectTransportRequest = Type.Object(
  { dtlsParameters: DtlsParameters },
  { $id: 'ConnectTransportRequest', ...Strict }
)
export type ConnectTransportRequest = Static<typeof ConnectTransportRequest>

export const RestartIceReply = Type.Object({ iceParameters: IceParameters }, { $id: 'RestartIceReply', ...Strict })
export type RestartIceReply = Static<typeof RestartIceReply>
