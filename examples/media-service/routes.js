// The requests of the contract: method, path, body, and what is done.
import { createConsumer, requestKeyFrame, updateConsumer } from './consumers.js'
import { createDataConsumer, createDataProducer } from './data.js'
import { fromMediasoup, MediaError } from './errors.js'
import { createProducer, updateProducer } from './producers.js'
import { connectTransport, createTransport, restartIce } from './transports.js'

const PARTICIPANT = '/sessions/:sessionId/participants/:participantId'

/** What a participant has: the segment of the path, and the member of Participant. */
const KINDS = {
  transports: 'transports',
  producers: 'producers',
  consumers: 'consumers',
  'data-producers': 'dataProducers',
  'data-consumers': 'dataConsumers'
}

/** Requests that answer with a body: method, path beneath the participant, schema of the body, function. */
const WITH_REPLY = [
  ['PUT', 'transports/:id', 'CreateTransportRequest', createTransport],
  ['POST', 'transports/:id/restart-ice', null, restartIce],
  ['PUT', 'producers/:id', 'CreateProducerRequest', createProducer],
  ['PATCH', 'producers/:id', 'UpdateProducerRequest', updateProducer],
  ['PUT', 'consumers/:id', 'CreateConsumerRequest', createConsumer],
  ['PATCH', 'consumers/:id', 'UpdateConsumerRequest', updateConsumer],
  ['PUT', 'data-producers/:id', 'CreateDataProducerRequest', createDataProducer],
  ['PUT', 'data-consumers/:id', 'CreateDataConsumerRequest', createDataConsumer]
]
/** Requests that are answered 204. */
const WITHOUT_REPLY = [
  ['POST', 'transports/:id/connect', 'ConnectTransportRequest', connectTransport],
  ['POST', 'consumers/:id/request-key-frame', null, requestKeyFrame]
]

const bodyOf = name => (name ? { schema: { body: { $ref: `${name}#` } } } : {})

/** @param {import('fastify').FastifyInstance} app @param {{sessions: import('./sessions.js').Sessions, workers: object, instance: string}} service */
export function addRoutes(app, service) {
  addHealth(app, service)
  addSessions(app, service.sessions)
  addParticipants(app, service.sessions)
  for (const [segment, member] of Object.entries(KINDS)) addKind(app, service.sessions, { segment, member })
  const add = ([method, path, schema, act], answer) =>
    app.route({
      method,
      url: `${PARTICIPANT}/${path}`,
      ...bodyOf(schema),
      handler: async ({ params, body }, reply) => {
        const session = await service.sessions.get(params.sessionId)
        return answer(await inSession(session, () => act(session, params, body)), reply)
      }
    })
  for (const row of WITH_REPLY) add(row, body => body)
  for (const row of WITHOUT_REPLY) add(row, (_, reply) => reply.code(204).send())
}

/** A session that closes meanwhile is the cause of whatever fails. */
async function inSession(session, act) {
  try {
    return await act()
  } catch (error) {
    throw session.isClosed ? new MediaError('session_not_found', 'The session was closed meanwhile') : error
  }
}

function addHealth(app, { sessions, workers, instance }) {
  app.get('/health', async (_, reply) => {
    const health = { instance, load: workers.load, sessions: sessions.size }
    if (sessions.isDraining) return reply.code(503).send({ code: 'overloaded', detail: 'The service is shutting down' })
    if (!workers.areHealthy) return reply.code(503).send({ code: 'overloaded', detail: 'No media worker runs' })
    return health
  })
}

function addSessions(app, sessions) {
  const url = '/sessions/:sessionId'
  app.put(url, bodyOf('OpenSessionRequest'), async ({ params, body }, reply) => {
    const { session, isNew } = await sessions.open(params.sessionId, body)
    return reply.code(isNew ? 201 : 200).send({ routerRtpCapabilities: session.rtpCapabilities })
  })
  app.get(url, async ({ params }) => {
    const session = await sessions.get(params.sessionId)
    return { routerRtpCapabilities: session.rtpCapabilities }
  })
  app.delete(url, async ({ params }, reply) => {
    sessions.close(params.sessionId)
    return reply.code(204).send()
  })
}

function addParticipants(app, sessions) {
  app.put('/sessions/:sessionId/participants', bodyOf('KeepParticipantsRequest'), async ({ params, body }, reply) => {
    const session = await sessions.get(params.sessionId)
    session.keepParticipants(body)
    return reply.code(204).send()
  })
  app.delete(PARTICIPANT, async ({ params }, reply) => {
    const session = await sessions.get(params.sessionId)
    session.closeParticipant(params.participantId)
    return reply.code(204).send()
  })
}

/** What is the same for everything that a participant has: closing it, and its statistics. */
function addKind(app, sessions, { segment, member }) {
  const url = `${PARTICIPANT}/${segment}/:id`
  // Values of a query are text: the server converts nothing.
  const schema = {
    querystring: { type: 'object', properties: { closings: { type: 'string', pattern: '^\\d{1,15}$' } } }
  }
  app.delete(url, { schema }, async ({ params, query }, reply) => {
    const session = await sessions.get(params.sessionId)
    session.participants.get(params.participantId)?.[member].close(params.id, query.closings && Number(query.closings))
    return reply.code(204).send()
  })
  app.get(`${url}/stats`, async ({ params }) => {
    const session = await sessions.get(params.sessionId)
    return inSession(session, async () => {
      const { media } = await session.participant(params.participantId)[member].get(params.id)
      try {
        return { stats: await media.getStats() }
      } catch (error) {
        throw fromMediasoup(error, 'invalid_parameters')
      }
    })
  })
}
