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
  enrollDevice: {
    body: {
      code: '7KQ2-M4XA-0TRB-9WSE-HC6N-1VJD-8YPG',
      publicKey: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      signature: 'OSt78Y3Rht64FEJXGyhZrS3iShDwa2QgJO9ZnGmoIzB2Pn0dtYU0zmEUmhDCGeQhTPvDPIysjgiP3XNqyDc_Cw'
    },
    reply: { user: 'alice', device: 'phone' }
  },
  createDeviceNonce: {
    reply: { nonce: 'AAABmtS2JAB9Zx3VvKk1mYw0c2n4QfHsTgRjXyBpLuEoIaWdNhSlVQ', expiresInMs: 60_000 }
  },
  createDeviceToken: {
    body: {
      ...{ user: 'alice', device: 'phone', nonce: 'AAABmtS2JAB9Zx3VvKk1mYw0c2n4QfHsTgRjXyBpLuEoIaWdNhSlVQ' },
      signature: 'vd_XnHardFWssrkJfy6Rrmch1GKNbktpDgNpl6BmMb3J4uXIjPbjs7G5BN9cHNng1hFx1WRC9NnvfvC5BkQuDw'
    },
    reply: { token: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl', expiresInMs: 3_600_000 }
  },
  setDeviceKey: {
    body: {
      publicKey: 'DlUEsX0SN3Cvn9NYHSzmc0VbCcNiDkyyd0sNBQI4hh4',
      signature: 'WVh3y4DbSUpj7AG3x3wLwLPyoopqE8HAdaIlLgVFsx6s9tdEjgIDUiBoQkPwiWpn47YXFGABjZk1k86IAezIAA',
      currentSignature: 'OlpQskCx79Ex87Q5EGCiBj9fLlirIjo3aU85xi7gp0RrkMGfTvzA7n-bnxOxD0SkNv7_ob97GCcJzfHWRpCgCQ'
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
