// The credentials of devices, and the keys of the server that sign their tokens.
import { type Static, Type } from 'typebox'
import { DeviceId, DurationMs, Nullable, Strict, Timestamp, UserId } from './common.js'

export const SigningKey = Type.Object(
  {
    kty: Type.Literal('OKP'),
    crv: Type.Literal('Ed25519'),
    x: Type.String({ description: 'The public key, base64url.' }),
    kid: Type.String({ description: 'Its thumbprint (RFC 7638), which a token names in its header.' }),
    alg: Type.Literal('EdDSA'),
    use: Type.Literal('sig')
  },
  { $id: 'SigningKey', description: 'A public key of the server, as a JSON Web Key (RFC 8037).', ...Strict }
)
export type SigningKey = Static<typeof SigningKey>

export const SigningKeySet = Type.Object(
  { keys: Type.Array(SigningKey, { description: 'The key that signs is the first one.' }) },
  { $id: 'SigningKeySet', description: 'A JSON Web Key Set (RFC 7517).', ...Strict }
)

const PublicKey = () =>
  Type.String({
    $id: 'DevicePublicKey',
    pattern: '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$',
    description: 'An Ed25519 public key (RFC 8032): its 32 bytes in base64url.',
    examples: ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo']
  })

const Signature = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9_-]{85}[AQgw]$', description: `${description} Its 64 bytes in base64url.` })

const DeviceKey = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$', description })

export const EnrollDeviceRequest = Type.Object(
  {
    code: Type.String({
      minLength: 1,
      maxLength: 64,
      description:
        'The code as it was typed: case, spaces and hyphens do not matter, and `O` is `0`, `I` and `L` are `1`.',
      examples: ['7KQ2-M4XA-0TRB-9WSE-HC6N-1VJD-8YPG']
    }),
    publicKey: PublicKey(),
    signature: Signature('Made with the private key, of `signalpost-device-enroll-v1` with code and public key.')
  },
  { $id: 'EnrollDeviceRequest', ...Strict }
)
export type EnrollDeviceRequest = Static<typeof EnrollDeviceRequest>

export const NonceReply = Type.Object(
  {
    nonce: Type.String({ description: 'To sign once.' }),
    expiresInMs: DurationMs('How long it can be used.')
  },
  { $id: 'NonceReply', ...Strict }
)

/** One schema and not a union, so that a mistake is reported with the path of its member. */
export const DeviceTokenRequest = Type.Object(
  {
    user: UserId(),
    device: DeviceId(),
    nonce: Type.Optional(Type.String({ maxLength: 128, description: 'A nonce of `createDeviceNonce`, not used yet.' })),
    signature: Type.Optional(
      Signature('With `nonce`: made with the private key, of `signalpost-device-token-v1` with nonce, user and device.')
    ),
    key: Type.Optional(DeviceKey('Instead of nonce and signature, for a device that cannot sign: its 256-bit key.'))
  },
  { $id: 'DeviceTokenRequest', ...Strict }
)
export type DeviceTokenRequest = Static<typeof DeviceTokenRequest>

export const DeviceToken = Type.Object(
  {
    token: Type.String({ description: 'A token, to be sent as `Authorization: Bearer`.' }),
    expiresInMs: DurationMs('How long it is valid. The stream says `auth.expiring` before it ends.')
  },
  { $id: 'DeviceToken', ...Strict }
)
export type DeviceToken = Static<typeof DeviceToken>

export const SetDeviceKeyRequest = Type.Object(
  {
    publicKey: PublicKey(),
    signature: Signature(
      'Made with the new private key, of `signalpost-device-key-v1` with user, device and new public key.'
    ),
    currentSignature: Type.Optional(Signature('The same bytes, signed with the private key that is valid now.')),
    key: Type.Optional(DeviceKey('Instead of `currentSignature`: the 256-bit key that is valid now.'))
  },
  { $id: 'SetDeviceKeyRequest', ...Strict }
)
export type SetDeviceKeyRequest = Static<typeof SetDeviceKeyRequest>

// ── For operators (openapi/admin.yaml) ──

export const CredentialPath = Type.Object({ user: UserId(), deviceId: DeviceId() }, Strict)

export const PutCredentialRequest = Type.Object({ publicKey: PublicKey() }, { $id: 'PutCredentialRequest', ...Strict })

export const CredentialView = Type.Object(
  {
    user: UserId(),
    device: DeviceId(),
    publicKey: Nullable(Type.String(), 'The public key; null: the device has none.'),
    keys: Type.Integer({
      minimum: 0,
      maximum: 2,
      description: '256-bit keys that are valid. The older one of two is valid until the newer one is used.'
    }),
    codeExpiresInMs: Nullable(
      Type.Integer({ minimum: 1 }),
      'How long the enrollment code can still be used; null: there is none.'
    ),
    createdAt: Timestamp('When the device got its first key or code.'),
    usedAt: Timestamp('When the device last proved itself or the credential was changed. Up to a day late.')
  },
  { $id: 'CredentialView', description: 'What a device proves itself by.', ...Strict }
)
export type CredentialView = Static<typeof CredentialView>

export const EnrollmentCode = Type.Object(
  {
    code: Type.String({ description: 'For the device, once. It is not shown again.' }),
    expiresInMs: DurationMs('How long it can be used.')
  },
  { $id: 'EnrollmentCode', ...Strict }
)
export type EnrollmentCode = Static<typeof EnrollmentCode>

export const NewDeviceKey = Type.Object(
  {
    key: Type.String({
      description: '256 random bits in base64url. It is not shown again, and stored as a digest only.'
    })
  },
  { $id: 'NewDeviceKey', ...Strict }
)
export type NewDeviceKey = Static<typeof NewDeviceKey>

export const CredentialsQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 100, description: 'Most credentials of the reply.' }),
    after: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,2100}$',
        description: 'Returns those that follow: `next` of an earlier reply.'
      })
    ),
    user: Type.Optional(UserId('Returns those of this user only.'))
  },
  Strict
)
export type CredentialsQuery = Static<typeof CredentialsQuery>

export const CredentialsReply = Type.Object(
  {
    credentials: Type.Array(CredentialView, { description: 'In a fixed order.' }),
    next: Nullable(Type.String(), 'Pass it as `after` to read on. Null: there are no more.')
  },
  { $id: 'CredentialsReply', ...Strict }
)
export type CredentialsReply = Static<typeof CredentialsReply>
