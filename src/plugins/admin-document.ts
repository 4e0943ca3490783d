// The OpenAPI document of the admin API: GET /v1/admin/openapi.json on ADMIN_PORT, and openapi/admin.yaml.
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../schemas/problem.js'
import { type Components, hoist, markNames } from './components.js'
import { completeOperations, type Document, type RouteNotes } from './document.js'
import { SECURITY_SCHEMES, VERSION } from './openapi.js'

const DESCRIPTION = `What operators do with a running Signalpost. Any node serves it, on \`ADMIN_PORT\`, if \`ADMIN_SECRET\` or \`ADMIN_ROLE\` is set. Errors are those
of the API for clients: problem documents with \`code\`.`

const DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'Signalpost Admin',
    version: VERSION,
    summary: 'The API for operators',
    description: DESCRIPTION,
    license: { name: 'MIT', identifier: 'MIT' }
  },
  servers: [{ url: 'http://127.0.0.1:9090', description: 'ADMIN_HOST and ADMIN_PORT' }],
  tags: [
    { name: 'calls', description: 'The calls of all users.' },
    { name: 'rooms', description: 'The rooms of all users.' },
    { name: 'nodes', description: 'The processes that share the store.' },
    { name: 'users', description: 'Users and their devices, and which of their tokens are refused.' },
    { name: 'chat', description: 'Messages that the chat service did not get.' },
    { name: 'webhooks', description: 'Receivers of events, and what they did not receive.' },
    { name: 'device credentials', description: 'What devices without an identity provider prove themselves by.' }
  ],
  security: [{ operator: [] }],
  components: { securitySchemes: { operator: SECURITY_SCHEMES.operator } }
}

/** Documents the routes that are added afterwards. */
export async function documentAdmin(app: FastifyInstance): Promise<void> {
  const notes = new Map<string, RouteNotes>()
  await app.register(swagger, {
    openapi: DOCUMENT,
    convertConstToEnum: false,
    transform: ({ schema = {}, url, route }) => {
      if (schema.operationId !== undefined) {
        const isBodyOptional = route.config?.optionalBody === true
        notes.set(schema.operationId, { isBodyOptional, isLimited: false, acceptsSdp: false, bodyType: null })
      }
      const isOfAdmin = url.startsWith('/v1/admin/')
      return { schema: isOfAdmin ? (markNames(schema) as typeof schema) : { hide: true }, url }
    },
    transformObject: document => ('openapiObject' in document ? complete(document.openapiObject, notes) : {})
  })
}

function complete(document: object, notes: ReadonlyMap<string, RouteNotes>): object {
  const components: Components = { schemas: {}, parameters: {} }
  hoist(markNames(Problem), components)
  return completeOperations(document as Document, { notes, components })
}
