// The webhooks of the OpenAPI document: each event that is sent to the operator's systems, as a request that Signalpost makes.
import { PushEvent } from '../schemas/push-event.js'
import { schemaNameOf } from '../schemas/stream.js'
import { OPERATOR_EVENTS, WEBHOOK_EVENTS } from '../schemas/webhook.js'
import { type Components, hoist, markNames } from './components.js'

const header = (name: string, description: string, example: string) => ({
  ...{ name, in: 'header', required: true, description },
  ...{ schema: { type: 'string' }, example }
})

const PARAMETERS = {
  WebhookIdHeader: header(
    'webhook-id',
    'Names the event. It is the same in every attempt: recognise repeats by it.',
    'msg_k3Jd8sPq0ZrX1vB7nT5wYc2M'
  ),
  WebhookTimestampHeader: header(
    'webhook-timestamp',
    'When this attempt was made, in seconds since 1970.',
    '1763719200'
  ),
  WebhookSignatureHeader: header(
    'webhook-signature',
    'Signatures of Standard Webhooks, separated by blanks. One that is right is enough.',
    'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4='
  )
}

const RESPONSES = {
  '2XX': { description: 'You have the event. The body is ignored, except that of a `push`.' },
  '410': { description: 'You want no more events: the webhook is disabled.' },
  default: { description: 'The event is sent again. `Retry-After` of a 429 and 503 says when at the earliest.' }
}

/** Events of streams that may have signals. */
const WITH_SIGNALS: readonly string[] = ['call.incoming', 'call.accepted']

/** Adds the parameters to the components. */
export function webhooksOf(components: Components): object {
  Object.assign(components.parameters, PARAMETERS)
  const parameters = Object.keys(PARAMETERS).map(name => ({ $ref: `#/components/parameters/${name}` }))
  return Object.fromEntries(
    [...WEBHOOK_EVENTS, ...OPERATOR_EVENTS, PushEvent].map(event => {
      const { type } = event.properties
      const schema = hoist(markNames(event), components)
      const post = {
        operationId: `receive${schemaNameOf(type.const)}`,
        summary: type.const,
        description: `Sent to the destinations of \`WEBHOOK_URLS\` that take \`${type.const}\`${WITH_SIGNALS.includes(type.const) ? ', without `offer`, `answer` and `candidates`' : ''}.`,
        security: [],
        parameters,
        requestBody: { required: true, content: { 'application/json': { schema } } },
        responses: RESPONSES
      }
      return [type.const, { post }]
    })
  )
}
