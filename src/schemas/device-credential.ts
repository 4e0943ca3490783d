// The credentials of devices, and the keys of the server that sign their tokens.
import { type Static, Type } from 'typebox'
import { Strict } from './common.js'

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
