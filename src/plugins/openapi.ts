// Serves the OpenAPI document, which is generated from the schemas of the routes, and the page that shows it.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyContextConfig, FastifyInstance, FastifySchema, onRequestHookHandler } from 'fastify'
import { DeviceId } from '../schemas/common.js'
import { GUIDE, TAGS } from './api-guide.js'
import { acceptsTicket } from './auth.js'
import { markNames } from './components.js'
import { DOCS_THEME } from './docs-theme.js'
import { completeDocument, type Document, type RouteNotes } from './document.js'
import { openapi30 } from './openapi-3.0.js'

export const { version: VERSION } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
) as {
  version: string
}

const DEVICE_HEADER = DeviceId(
  'The device, if the token has no claim `device`. `default` if neither is given. Percent-encoded where necessary.'
)

/** The default policy of the plugin has `upgrade-insecure-requests`, which breaks a server without TLS. */
const DOCS_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'"

export const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A JWT. Its claim `sub`, or the one that `JWT_USER_CLAIM` names, is the user.'
  },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'access_token',
    description: 'The same JWT as a cookie. Accepted from pages of this server and of `CORS_ORIGINS` only.'
  },
  operator: {
    type: 'http',
    scheme: 'bearer',
    description: 'A secret of `ADMIN_SECRET`, or a token with `ADMIN_ROLE`.'
  },
  ticket: {
    type: 'apiKey',
    in: 'query',
    name: 'ticket',
    description:
      'A ticket of `createEventTicket`, for `EventSource` and `navigator.sendBeacon`, which cannot set headers.'
  }
} as const

const DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'Signalpost',
    version: VERSION,
    summary: 'WebRTC signaling over plain HTTP',
    description: GUIDE,
    license: { name: 'MIT', identifier: 'MIT' }
  },
  servers: [{ url: '/', description: 'This server' }],
  tags: TAGS,
  security: [{ bearer: [] }, { cookie: [] }],
  components: { securitySchemes: SECURITY_SCHEMES }
}

/** Documents the routes that are added afterwards. */
export async function documentApi(app: FastifyInstance): Promise<void> {
  const notes = new Map<string, RouteNotes>()
  await app.register(swagger, {
    openapi: DOCUMENT,
    convertConstToEnum: false,
    transform: ({ schema = {}, url, route }) => ({
      schema: describe({ schema, url, config: route.config }, notes),
      url
    }),
    transformObject: document =>
      'openapiObject' in document ? completeDocument(document.openapiObject as unknown as Document, notes) : {}
  })
  await app.register(swaggerUi, {
    ...DOCS_THEME,
    routePrefix: '/docs',
    staticCSP: DOCS_POLICY,
    uiHooks: { onRequest: toDocument }
  })
  serveDocument(app)
}

/** Redirects the plugin's own routes, which serialize the document for each request. */
const toDocument: onRequestHookHandler = (request, reply, done) => {
  if (/^\/docs\/(json|yaml)$/.test(request.routeOptions.url ?? '')) reply.redirect('/openapi.json')
  else done()
}

/** The forms of the document, by path. */
const FORMS: Readonly<Record<string, { readonly type: string; readonly write: (app: FastifyInstance) => string }>> = {
  '/openapi.json': { type: 'application/json', write: app => JSON.stringify(app.swagger()) },
  '/openapi.yaml': { type: 'application/yaml', write: app => app.swagger({ yaml: true }) },
  '/openapi-3.0.json': { type: 'application/json', write: app => JSON.stringify(openapi30(app.swagger())) }
}

function serveDocument(app: FastifyInstance): void {
  for (const [path, { type, write }] of Object.entries(FORMS)) {
    // Written once: it is the same for all clients.
    const document = once(() => {
      const body = Buffer.from(write(app))
      return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` }
    })
    app.get(path, { schema: { hide: true } }, async (request, reply) => {
      const { body, etag } = document()
      reply.header('etag', etag).header('cache-control', 'public, max-age=300')
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type(`${type}; charset=utf-8`).send(body)
    })
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** Redirects the paths that people try first. */
export function pointToDocs(app: FastifyInstance, { withRoot }: { withRoot: boolean }): void {
  for (const path of [...(withRoot ? ['/'] : []), '/v1', '/v1/', '/problems', '/problems/'])
    app.get(path, { schema: { hide: true } }, (_request, reply) =>
      reply.code(302).header('location', '/docs/').send('The API is documented at /docs\n')
    )
}

interface DocumentedRoute {
  readonly schema: FastifySchema
  readonly url: string
  readonly config: FastifyContextConfig | undefined
}

/** Adds what all routes under /v1 have in common. */
function describe({ schema, url, config }: DocumentedRoute, notes: Map<string, RouteNotes>): FastifySchema {
  const named = markNames(schema) as FastifySchema
  if (!url.startsWith('/v1/')) return { ...named, security: named.security ?? [] }
  const needsNoToken = schema.security?.length === 0
  if (schema.operationId !== undefined) {
    notes.set(schema.operationId, {
      isBodyOptional: config?.optionalBody === true,
      isLimited: typeof config?.limit === 'string',
      acceptsSdp: config?.acceptsSdp === true,
      bodyType: config?.bodyType ?? null
    })
  }
  if (needsNoToken) return named
  const { properties = {}, required = [] } = (named.headers ?? {}) as { properties?: object; required?: string[] }
  return {
    ...named,
    headers: { type: 'object', properties: { ...properties, 'x-device-id': markNames(DEVICE_HEADER) }, required },
    ...(config && acceptsTicket(config) ? { security: [{ bearer: [] }, { cookie: [] }, { ticket: [] }] } : {})
  }
}
