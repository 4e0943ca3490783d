// The playground: a page at / that makes calls and joins rooms on this server.
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Config } from '../config.js'
import { createToken } from '../development.js'
import { RoomClaims } from '../schemas/claims.js'
import { DeviceId, Strict, UserId } from '../schemas/common.js'
import { builtPage, servePage } from './pages.js'

const NAME = 'playground'

/** In bytes. A token with more rooms does not fit into the headers of a request. */
const TOKEN_REQUEST_LIMIT = 8192

const TOKEN_REQUEST = Type.Object(
  { user: UserId(), device: Type.Optional(DeviceId()), rooms: Type.Optional(RoomClaims) },
  Strict
)

interface TokenRequest {
  readonly user: string
  readonly device?: string
  readonly rooms?: RoomClaims
}

/** Whether this server serves the page: by the setting, and if it was built. */
export function servesPlayground({ playground, development }: Config, folder = builtPage(NAME)): boolean {
  return folder !== null && (playground === 'on' || (playground === 'auto' && development))
}

/** Call it if `servesPlayground`. In development mode the page gets tokens, for any user: there the secret is public anyway. */
export function servePlayground(app: FastifyInstance, config: Config, folder = builtPage(NAME)): void {
  if (folder !== null) servePage(app, NAME, folder)
  const settings = { mintsTokens: config.development, hasSfu: config.mediaServiceUrls.length > 0 }
  app.get('/playground/settings', { schema: { hide: true } }, (_request, reply) =>
    reply.header('cache-control', 'no-store').send(settings)
  )
  if (config.development) mintTokens(app, config)
}

function mintTokens(app: FastifyInstance, config: Config): void {
  const options = { schema: { hide: true, body: TOKEN_REQUEST }, bodyLimit: TOKEN_REQUEST_LIMIT }
  app.post('/playground/tokens', options, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    return { token: await createToken(config, request.body as TokenRequest) }
  })
}
