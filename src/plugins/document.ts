// Completes the OpenAPI document that @fastify/swagger generates from the routes: order, components, errors, events and examples.
import { STATUS_CODES } from 'node:http'
import { ADMIN_EXAMPLES } from '../schemas/admin-examples.js'
import { CallCursor, Media } from '../schemas/call.js'
import { CallParty } from '../schemas/callee.js'
import { ID_SCHEMAS } from '../schemas/common.js'
import { CALL_EVENTS } from '../schemas/event.js'
import { EXAMPLES as CLIENT_EXAMPLES } from '../schemas/examples.js'
import { PRESENCE_EVENTS } from '../schemas/presence-event.js'
import { Problem } from '../schemas/problem.js'
import { ROOM_EVENTS } from '../schemas/room-event.js'
import { SFU_EVENTS } from '../schemas/sfu-event.js'
import { SDP_EXAMPLE, Sdp } from '../schemas/signal.js'
import { StreamCursor, StreamEvent } from '../schemas/stream.js'
import { TAGS } from './api-guide.js'
import { type Components, hoist, markNames, shareParameters } from './components.js'
import { RATE_LIMIT_HEADERS, responseName, shareProblems, usedHeaders } from './document-responses.js'
import { LINKS } from './links.js'
import { webhooksOf } from './webhooks-document.js'

const EXAMPLES = { ...CLIENT_EXAMPLES, ...ADMIN_EXAMPLES }

/** Properties of a route that @fastify/swagger does not pass on. */
export interface RouteNotes {
  readonly isBodyOptional: boolean
  readonly isLimited: boolean
  readonly acceptsSdp: boolean
  /** The body is a text of this type; null: it is JSON. */
  readonly bodyType: string | null
}

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Record<string, object> }
  readonly responses: Readonly<Record<string, Reply>>
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly example?: unknown
}

interface Reply {
  readonly description: string
  readonly headers?: object
  readonly content?: Readonly<Record<string, object>>
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

export interface Document {
  readonly components?: object
  readonly paths?: Paths
}

/** Their descriptions become those of the components. A place of use may have another one. */
const NAMED = [Problem, StreamCursor, CallCursor, Media, CallParty]

/** The document of the API for clients. */
export function completeDocument(document: Document, notes: ReadonlyMap<string, RouteNotes>): object {
  const components: Components = { schemas: {}, parameters: {} }
  hoist(markNames([...ID_SCHEMAS, ...NAMED]), components)
  const completed = completeOperations(document, { notes, components })
  components.schemas.Event = union(components, EVENTS, 'An event, of a stream or a poll. `type` tells which one.')
  components.schemas.Notice = union(
    components,
    EVENTS.filter(({ properties }) => !('id' in properties)),
    'An event that is not stored. `type` tells which one.'
  )
  return { ...completed, webhooks: webhooksOf(components) }
}

interface Parts {
  readonly notes: ReadonlyMap<string, RouteNotes>
  /** More are added. */
  readonly components: Components
}

/** The whole document but what it has besides operations. */
export function completeOperations(document: Document, { notes, components }: Parts): object {
  const operations: Operation[] = []
  const paths = mapOperations(inOrder(document.paths ?? {}), operation => {
    const finished = finishOperation(operation, notes.get(operation.operationId), components)
    operations.push(finished)
    return finished
  })
  shareParameters(operations, components)
  const { openapi, info, servers, tags, security } = document as Readonly<Record<string, unknown>>
  const responses = shareProblems(operations)
  return {
    ...{ openapi, info, servers, tags, security, paths },
    components: { ...document.components, ...components, headers: usedHeaders([operations, responses]), responses }
  }
}

/** By the order of TAGS, then by registration. */
function inOrder(paths: Paths): Paths {
  const rank = (methods: Paths[string]) => {
    const ranks = Object.values(methods).map(({ tags }) => TAGS.findIndex(({ name }) => name === tags[0]))
    return Math.min(...ranks)
  }
  return Object.fromEntries(Object.entries(paths).sort(([, one], [, other]) => rank(one) - rank(other)))
}

function mapOperations(paths: Paths, change: (operation: Operation) => Operation): Paths {
  const mapMethods = (methods: Paths[string]) =>
    Object.fromEntries(Object.entries(methods).map(([method, operation]) => [method, change(operation)]))
  return Object.fromEntries(Object.entries(paths).map(([path, methods]) => [path, mapMethods(methods)]))
}

function finishOperation(operation: Operation, notes: RouteNotes | undefined, components: Components): Operation {
  const { tags, operationId, parameters, requestBody, responses, ...rest } = operation
  const finished = {
    ...{ tags, operationId, ...rest },
    ...(parameters ? { parameters: finishParameters(parameters) } : {}),
    ...(requestBody ? { requestBody: finishBody(requestBody, operationId, notes) } : {}),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, reply]) => [
        status,
        Number(status) < 400
          ? finishReply(reply, status, { operationId, isLimited: notes?.isLimited === true })
          : { $ref: `#/components/responses/${responseName(status)}`, description: reply.description }
      ])
    )
  }
  return hoist(finished, components) as Operation
}

/**
 * Another name of `cursor`, for polyfills of EventSource that send it. In generated code it would have the same name as the header
 * Last-Event-ID.
 */
const UNLISTED = 'lastEventId'

function finishParameters(parameters: readonly Parameter[]): Parameter[] {
  const listed = parameters.filter(({ name }) => name !== UNLISTED)
  return listed.map(({ example: _, ...parameter }) => withProperName(parameter))
}

/** Fastify has header names in lower case; the document spells them as the RFCs do. */
const withProperName = (parameter: Parameter): Parameter =>
  parameter.in === 'header'
    ? {
        ...parameter,
        name: parameter.name.replace(/\b\w/g, letter => letter.toUpperCase()).replace('Event-Id', 'Event-ID')
      }
    : parameter

function finishBody({ content }: { content: Record<string, object> }, operationId: string, notes?: RouteNotes) {
  if (notes?.bodyType) return textBody(content['application/json'] as JsonOfText, notes.bodyType, operationId)
  const { example: _, ...json } = content['application/json'] as { example?: unknown }
  const example = EXAMPLES[operationId]?.body
  return {
    required: notes?.isBodyOptional !== true,
    content: {
      'application/json': { ...json, ...(example === undefined ? {} : { example }) },
      ...(notes?.acceptsSdp ? { 'application/sdp': { schema: markNames(Sdp), example: SDP_EXAMPLE } } : {})
    }
  }
}

/** How the schema of a route describes a body that is a text. */
interface JsonOfText {
  readonly schema: { readonly properties: { readonly sdp: object } }
}

const textBody = ({ schema }: JsonOfText, type: string, operationId: string) => ({
  required: true,
  content: { [type]: { schema: schema.properties.sdp, example: EXAMPLES[operationId]?.body } }
})

function finishReply(
  { description, headers, content }: Reply,
  status: string,
  { operationId, isLimited }: { operationId: string; isLimited: boolean }
) {
  const links = LINKS[operationId]?.[status]
  const example = EXAMPLES[operationId]?.reply
  return {
    description: description === 'Default Response' ? (STATUS_CODES[status] ?? status) : description,
    ...(isLimited || headers ? { headers: { ...headers, ...(isLimited ? RATE_LIMIT_HEADERS : {}) } } : {}),
    ...(content ? { content: mapContent(content, example) } : {}),
    ...(links ? { links } : {})
  }
}

function mapContent(content: Readonly<Record<string, object>>, example: unknown) {
  return Object.fromEntries(
    Object.entries(content).map(([type, media]) => {
      if (type === 'application/json' && example !== undefined) return [type, { ...media, example }]
      if (type !== 'text/event-stream') return [type, media]
      const { schema } = media as { schema: object }
      // JSON Schema 2020-12, section 8.5: the media type and the schema of a string's content.
      return [type, { ...media, schema: { ...schema, contentMediaType: type, contentSchema: EVENT } }]
    })
  )
}

const EVENT = { $ref: '#/components/schemas/Event' }

const EVENTS = [...CALL_EVENTS, ...ROOM_EVENTS, ...SFU_EVENTS, ...PRESENCE_EVENTS, ...StreamEvent.anyOf]

function union(components: Components, events: typeof EVENTS, description: string): Components['schemas'][string] {
  const refs = events.map(event => hoist(markNames(event), components) as { $ref: string })
  const mapping = Object.fromEntries(events.map((event, i) => [event.properties.type.const, refs[i]?.$ref]))
  return { description, oneOf: refs, discriminator: { propertyName: 'type', mapping } }
}
