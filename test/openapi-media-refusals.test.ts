// Each operation on media lists what the media service may refuse, as openapi/media-service.yaml says, and what the rules of the room refuse.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { MediaRefusal, REFUSALS } from '../src/adapters/media-service.js'
import { AppError, type ErrorCode } from '../src/errors.js'
import { toAppError } from '../src/services/sfu/sessions.js'

interface Response {
  readonly $ref?: string
  readonly description?: string
}
interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { operationId?: string; responses?: Record<string, Response> }>>>
  >
  readonly components: { readonly responses: Readonly<Record<string, Response>> }
}

/** The codes in the descriptions of an operation's responses. */
function codesOf(file: string): (operationId: string) => string[] {
  const { paths, components }: Document = parse(readFileSync(new URL(`../openapi/${file}`, import.meta.url), 'utf8'))
  const operations = Object.values(paths).flatMap(methods => Object.values(methods))
  return operationId => {
    const { responses = {} } = operations.find(each => each.operationId === operationId) ?? {}
    const texts = Object.values(responses).map(
      ({ $ref, description }) => description ?? components.responses[$ref?.split('/').at(-1) ?? '']?.description ?? ''
    )
    return [...texts.join(' ').matchAll(/`(\w+)`/g)].map(([, code = '']) => code)
  }
}

/** What each operation asks of the media service, and what the rules of the room refuse by themselves. */
const OPERATIONS: Readonly<Record<string, readonly [asks: string, ...ofRules: ErrorCode[]]>> = {
  getRouterCapabilities: ['getSession'],
  createTransport: ['createTransport'],
  connectTransport: ['connectTransport'],
  restartIce: ['restartIce'],
  closeTransport: ['closeTransport'],
  getTransportStats: ['getTransportStats'],
  createProducer: ['createProducer', 'media_conflict', 'too_many_media'],
  updateProducer: ['updateProducer', 'media_not_found'],
  pauseParticipantProducer: ['updateProducer', 'media_not_found', 'participant_not_found'],
  closeProducer: ['closeProducer'],
  closeParticipantProducer: ['closeProducer', 'participant_not_found'],
  getProducerStats: ['getProducerStats'],
  createConsumer: ['createConsumer', 'media_not_found', 'participant_not_found'],
  updateConsumer: ['updateConsumer'],
  resumeConsumer: ['updateConsumer'],
  requestKeyFrame: ['requestKeyFrame'],
  closeConsumer: ['closeConsumer'],
  getConsumerStats: ['getConsumerStats'],
  createDataProducer: ['createDataProducer', 'media_conflict', 'too_many_media'],
  closeDataProducer: ['closeDataProducer'],
  getDataProducerStats: ['getDataProducerStats'],
  createDataConsumer: ['createDataConsumer', 'media_not_found', 'participant_not_found'],
  closeDataConsumer: ['closeDataConsumer'],
  getDataConsumerStats: ['getDataConsumerStats']
}

const codeFor = (refusal: (typeof REFUSALS)[number]): ErrorCode | null => {
  const error = toAppError(new MediaRefusal(refusal, ''))
  return error instanceof AppError ? error.code : null
}
const OF_MEDIA = new Set<string>([...REFUSALS.map(codeFor), 'participant_not_found'].filter(code => code !== null))

t.test('each operation on media lists exactly what the media service and the rules of the room may refuse', async t => {
  const [ours, theirs] = [codesOf('openapi.yaml'), codesOf('media-service.yaml')]
  for (const [operationId, [asks, ...ofRules]] of Object.entries(OPERATIONS)) {
    const refused = REFUSALS.filter(code => theirs(asks).includes(code)).map(codeFor)
    const expected = new Set([...refused, ...ofRules, 'media_unavailable'])
    const documented = new Set(ours(operationId).filter(code => OF_MEDIA.has(code)))
    t.strictSame([...documented].sort(), [...expected].sort(), operationId)
  }
})
