// The OpenAPI 3.1 document, made from the routes' own schemas. Every schema with an `$id` becomes a component under that name;
// the events, which no route returns as such, are added as the union `Event`.
import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import { ID_PATTERN } from '../schemas/common.js'
import { CALL_EVENTS } from '../schemas/event.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const TAGS = [
  { name: 'events', description: 'Hearing what happens: a resumable stream, or long-poll with the same cursor' },
  { name: 'calls', description: 'Calling, answering, ending' },
  { name: 'signals', description: 'Offers, answers and candidates' },
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
          'POST to act; hear by Server-Sent Events or long-poll. Events are kept in a mailbox a device, so that a client may ' +
          'change network, node or transport and resume where it was.',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: TAGS,
      security: [{ bearer: [] }, { cookie: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The user is the claim `sub`' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'access_token', description: 'The same token as a cookie' },
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
    refResolver: { buildLocalReference: (schema, _baseUri, _fragment, i) => String(schema.$id ?? `schema-${i}`) },
    transform: ({ schema, url, route }) => ({ schema: describe(schema, url, route, bodyless), url }),
    transformObject: document =>
      'openapiObject' in document ? finish(document.openapiObject as Document, bodyless) : {}
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_POLICY })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}

/** What holds for all routes, said once here instead of in each. */
function describe(
  schema: FastifySchema = {},
  url: string,
  { config }: RouteOptions,
  bodyless: Set<string>
): FastifySchema {
  if (!url.startsWith('/v1/')) return { ...schema, security: [] }
  if (config?.optionalBody === true && schema.operationId !== undefined) bodyless.add(schema.operationId)
  const { properties = {}, required = [] } = (schema.headers ?? {}) as { properties?: object; required?: string[] }
  return {
    ...schema,
    headers: { type: 'object', properties: { ...properties, 'x-device-id': DEVICE_HEADER }, required },
    ...(config?.eventRoute === true ? { security: [{ bearer: [] }, { cookie: [] }, { ticket: [] }] } : {})
  }
}

interface Document {
  components?: { schemas?: Components }
  paths?: Record<string, Record<string, { operationId?: string; requestBody?: { required?: boolean } }>>
}

/** Adds the events, and lets go of bodies that may be left out. */
function finish(document: Document, bodyless: ReadonlySet<string>): object {
  const schemas = document.components?.schemas ?? {}
  const union = CALL_EVENTS.map(event => hoist(event, schemas) as { $ref: string })
  const mapping = Object.fromEntries(CALL_EVENTS.map((event, i) => [event.properties.type.const, union[i]?.$ref]))
  schemas.Event = {
    description: 'What arrives in a mailbox: the `data` of a frame, or one of the `events` of a poll',
    oneOf: union,
    discriminator: { propertyName: 'type', mapping }
  }
  for (const operation of Object.values(document.paths ?? {}).flatMap(path => Object.values(path))) {
    if (operation.requestBody && bodyless.has(operation.operationId ?? '')) operation.requestBody.required = false
  }
  return document
}

type Components = Record<string, unknown>

/** A copy in which everything with an `$id` is a reference, and stands in `schemas` once. */
function hoist(value: unknown, schemas: Components): unknown {
  if (Array.isArray(value)) return value.map(item => hoist(item, schemas))
  if (typeof value !== 'object' || value === null) return value
  const { $id, ...rest } = value as Record<string, unknown>
  if (typeof $id !== 'string') return mapValues(rest, schemas)
  schemas[$id] ??= mapValues(rest, schemas)
  return { $ref: `#/components/schemas/${$id}` }
}

function mapValues(object: Record<string, unknown>, schemas: Components): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, hoist(value, schemas)]))
}
