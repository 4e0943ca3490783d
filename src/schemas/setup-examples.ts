// Examples of what a device sets up: ICE servers and push, see examples.ts.
import type { Example } from './room-examples.js'

export const SETUP_EXAMPLES: Readonly<Record<string, Example>> = {
  listIceServers: {
    reply: {
      iceServers: [
        { urls: ['stun:stun.example.com:3478'] },
        {
          urls: ['turn:turn.example.com:3478?transport=udp'],
          username: '1795258800:alice',
          credential: '7QVkjvA/vU7kuPDocOaNFZpQPzk='
        }
      ],
      iceTransportPolicy: 'all',
      expiresInMs: 3_600_000
    }
  },
  getSigningKeys: {
    reply: {
      keys: [
        // The public key of RFC 8037, appendix A.2.
        {
          ...{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
          ...{ kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', alg: 'EdDSA', use: 'sig' }
        }
      ]
    }
  },
  setPushSubscription: {
    body: {
      type: 'webpush',
      endpoint: 'https://push.example.com/v1/send/cXJzdHV2d3h5eg',
      expirationTime: null,
      // The keys of RFC 8291, section 5.
      keys: {
        p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
        auth: 'BTBZMqHH6r4Tts7J_aSIgg'
      }
    }
  }
}
