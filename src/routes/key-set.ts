// The public keys of the server, for those who verify tokens of its devices.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { SigningKeySet } from '../schemas/device-credential.js'
import { onlyProblems } from '../schemas/problem.js'
import type { Context } from '../services/context.js'
import { createSigningKeys } from '../services/credentials/signing-keys.js'

const GET_SIGNING_KEYS = {
  schema: {
    operationId: 'getSigningKeys',
    tags: ['device credentials'],
    summary: "Get the server's keys",
    description:
      'Returns the public keys that verify the tokens of devices. A new key is published before it signs. Empty without `SIGNING_KEYS`.',
    security: [],
    response: {
      200: SigningKeySet,
      ...onlyProblems('rate_limited')
    }
  }
} as const

/** Shorter than the time between publishing a key and signing with it. */
const CACHE_CONTROL = 'public, max-age=300'

export const keySetRoutes: FastifyPluginAsyncTypebox<{ context: Context }> = async (app, { context }) => {
  const { publicKeys } = createSigningKeys(context.config)
  app.get('/.well-known/jwks.json', GET_SIGNING_KEYS, async (_request, reply) => {
    reply.header('cache-control', CACHE_CONTROL)
    return { keys: [...publicKeys] }
  })
}
