// The OpenAPI 3.1 document, made from the routes' own schemas. Every schema with an `$id` becomes a component under that name;
// the events, which no route returns as such, are added as the union `Event`.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema, onRequestHookHandler, RouteOptions } from 'fastify'
import { ID_PATTERN } from '../schemas/common.js'
import { CALL_EVENTS } from '../schemas/event.js'
import { PRESENCE_EVENTS } from '../schemas/presence-event.js'
import { ROOM_EVENTS } from '../schemas/room-event.js'
import { StreamEvent } from '../schemas/stream.js'
import { type Components, hoist, markNames } from './components.js'
import { LINKS } from './links.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const TAGS = [
  { name: 'events', description: 'Hearing what happens: a resumable stream, or long-poll with the same cursor' },
  { name: 'calls', description: 'Calling, answering, ending' },
  { name: 'signals', description: 'Offers, answers and candidates' },
  { name: 'rooms', description: 'Many at once: join, signal, moderate' },
  { name: 'chat', description: 'What people in a room write' },
  { name: 'blocks', description: 'Users who cannot reach you' },
  { name: 'presence', description: 'Which devices are there' },
  { name: 'ice', description: 'STUN and TURN' },
  { name: 'operations', description: 'For whoever runs the server' }
]

const DEVICE_HEADER = {
  type: 'string',
  pattern: ID_PATTERN,
  description: 'Which device of the user this is; `default` when neither this nor the token says',
  examples: ['phone']
}

/** The plugin's own would have browsers upgrade to https, which a server on a plain port cannot follow. */
const DOCS_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'"

/** Comes before the routes it documents. */
export async function documentApi(app: FastifyInstance): Promise<void> {
  const bodyless = new Set<string>()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Signalpost',
        version,
        summary: 'WebRTC call signaling over nothing but HTTP',
        description:
          'POST to act; receive by Server-Sent Events or long-poll. Events are kept in a mailbox a device, so that a client may ' +
          'change network, node or transport and resume where it was.',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: TAGS,
      security: [{ bearer: [] }, { cookie: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The user is the claim `sub`' },
          cookie: {
            type: 'apiKey',
            in: 'cookie',
            name: 'access_token',
            description: 'The same token as a cookie, from pages of this server or of `CORS_ORIGINS` only'
          },
          operator: { type: 'http', scheme: 'bearer', description: 'One of `ADMIN_SECRET`' },
          ticket: {
            type: 'apiKey',
            in: 'query',
            name: 'ticket',
            description: 'For EventSource, which cannot set headers'
          }
        }
      }
    },
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => ({ schema: describe(schema, url, route, bodyless), url }),
    transformObject: document =>
      'openapiObject' in document ? finish(document.openapiObject as Document, bodyless) : {}
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_POLICY, uiHooks: { onRequest: toDocument } })
  serveDocument(app)
}

/** The page's own routes to the document would write it anew for each request. */
const toDocument: onRequestHookHandler = (request, reply, done) => {
  if (/^\/docs\/(json|yaml)$/.test(request.routeOptions.url ?? '')) reply.redirect('/openapi.json')
  else done()
}

/** Anybody may ask for it, so it is written once. */
function serveDocument(app: FastifyInstance): void {
  let document: { body: Buffer; etag: string } | undefined

  function write() {
    const body = Buffer.from(JSON.stringify(app.swagger()))
    return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` }
  }

  app.get('/openapi.json', { schema: { hide: true } }, async (request, reply) => {
    document ??= write()
    reply.header('etag', document.etag).header('cache-control', 'public, max-age=300')
    if (request.headers['if-none-match'] === document.etag) return reply.code(304).send()
    return reply.type('application/json; charset=utf-8').send(document.body)
  })
}

/** What holds for all routes, said once here instead of in each. */
function describe(
  schema: FastifySchema = {},
  url: string,
  { config }: RouteOptions,
  bodyless: Set<string>
): FastifySchema {
  const named = markNames(schema) as FastifySchema
  if (!url.startsWith('/v1/')) return { ...named, security: named.security ?? [] }
  if (config?.optionalBody === true && schema.operationId !== undefined) bodyless.add(schema.operationId)
  const { properties = {}, required = [] } = (named.headers ?? {}) as { properties?: object; required?: string[] }
  return {
    ...named,
    headers: { type: 'object', properties: { ...properties, 'x-device-id': DEVICE_HEADER }, required },
    ...(config?.eventRoute === true ? { security: [{ bearer: [] }, { cookie: [] }, { ticket: [] }] } : {})
  }
}

interface Operation {
  readonly operationId?: string
  readonly requestBody?: { required?: boolean }
  readonly responses: Record<string, Reply>
}

interface Reply {
  description: string
  content?: Record<string, { schema: object }>
  links?: object
}

interface Document {
  readonly components?: object
  readonly paths?: Record<string, Record<string, Operation>>
}

/** Fills in what the routes leave unsaid, adds the events, and gives everything that has a name its place among the components. */
function finish(document: Document, bodyless: ReadonlySet<string>): object {
  for (const operation of Object.values(document.paths ?? {}).flatMap(path => Object.values(path))) {
    const { operationId = '', requestBody, responses } = operation
    if (requestBody && bodyless.has(operationId)) requestBody.required = false
    for (const [status, response] of Object.entries(responses)) {
      if (response.description === 'Default Response') response.description = STATUS_CODES[status] ?? status
      const links = LINKS[operationId]?.[status]
      if (links) response.links = links
      const stream = response.content?.['text/event-stream']
      // JSON Schema 2020-12, section 8.5: what is in a string that is not JSON itself.
      if (stream) stream.schema = { ...stream.schema, contentMediaType: 'text/event-stream', contentSchema: EVENT }
    }
  }
  const components: Components = { schemas: {}, examples: {} }
  const paths = hoist(document.paths, components)
  components.schemas.Event = eventUnion(components)
  return { ...document, paths, components: { ...document.components, ...components } }
}

const EVENT = { $ref: '#/components/schemas/Event' }

function eventUnion(components: Components): object {
  const events = [...CALL_EVENTS, ...ROOM_EVENTS, ...PRESENCE_EVENTS, ...StreamEvent.anyOf]
  const refs = events.map(event => hoist(markNames(event), components) as { $ref: string })
  const mapping = Object.fromEntries(events.map((event, i) => [event.properties.type.const, refs[i]?.$ref]))
  return {
    description: 'The `data` of one frame of a stream',
    oneOf: refs,
    discriminator: { propertyName: 'type', mapping }
  }
}
