// The metrics of a node, for Prometheus. Each app has a registry of its own: two apps in one process do not share numbers.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** Buckets for the store and for requests: from 0.5 ms (a local Redis) to 5 s (a Redis in trouble). */
const FAST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
/** Buckets for what people do, up to the sum of the default RING_TIMEOUT_MS and CONNECT_TIMEOUT_MS. */
const HUMAN_SECONDS = [0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]
/** Buckets for webhooks, up to the day after which they are given up. */
const LAG_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 600, 3600, 21_600, 86_400]

export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const create = metricFactory(registry)
  return {
    registry,
    ...callMetrics(create),
    ...deliveryMetrics(create),
    ...storeMetrics(create),
    ...serviceMetrics(create),
    ...webhookMetrics(create),
    ...httpMetrics(create)
  }
}

type MetricFactory = ReturnType<typeof metricFactory>

function metricFactory(registry: Registry) {
  const options = (name: string, help: string) => ({ name: `signalpost_${name}`, help, registers: [registry] })
  return {
    counter: <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
      new Counter({ ...options(name, help), labelNames }),
    gauge: <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
      new Gauge({ ...options(name, help), labelNames }),
    histogram: <Label extends string>(name: string, help: string, scale: { buckets: number[]; labelNames?: Label[] }) =>
      new Histogram({ ...options(name, help), ...scale })
  }
}

const callMetrics = ({ counter, histogram }: MetricFactory) => ({
  callsCreated: counter(
    'calls_created_total',
    'Create requests that were answered with a call, by resolution: created, existing, merged',
    'resolution'
  ),
  callsEnded: counter('calls_ended_total', 'Calls that ended, by reason', 'reason'),
  callTransfers: counter(
    'call_transfers_total',
    'Transfers that ended, by outcome: transferred, or why the target stopped ringing',
    'outcome'
  ),
  callSetupSeconds: histogram('call_setup_seconds', 'From the create of a call until a side reports media', {
    buckets: HUMAN_SECONDS
  })
})

const deliveryMetrics = ({ counter, gauge }: MetricFactory) => ({
  streamsOpen: gauge('streams_open', 'Open streams and waiting polls, by transport: sse, poll', 'transport'),
  eventsDelivered: counter('events_delivered_total', 'Events written to clients, by transport: sse, poll', 'transport'),
  resumes: counter(
    'resumes_total',
    'Streams and polls opened, by outcome: hello, replay, reset_expired, reset_evicted, reset_unknown, reset_future',
    'outcome'
  )
})

const storeMetrics = ({ gauge, histogram }: MetricFactory) => ({
  commitSeconds: histogram(
    'commit_seconds',
    'From a decision until it is committed and its events are in the mailboxes',
    {
      buckets: FAST_SECONDS
    }
  ),
  storeRoundTripSeconds: histogram('store_round_trip_seconds', 'Round trip of a probe to the store', {
    buckets: FAST_SECONDS
  }),
  clockOffsetSeconds: gauge(
    'clock_offset_seconds',
    'The clock of this machine minus that of Redis; deadlines and presence use that of Redis'
  ),
  revocations: gauge('revocations', 'Revocations that this node keeps; REVOCATIONS_MAX is the most')
})

const serviceMetrics = ({ counter, gauge, histogram }: MetricFactory) => ({
  policyDecisions: counter(
    'policy_decisions_total',
    'Decisions of the policy service, cached answers included, by action and outcome: allowed, rewritten, redirected, denied, failed, not_sent (too many were in flight)',
    'action',
    'outcome'
  ),
  policySeconds: histogram('policy_seconds', 'Requests to the policy service until their reply or failure, by action', {
    buckets: FAST_SECONDS,
    labelNames: ['action']
  }),
  chatDeliveries: counter(
    'chat_deliveries_total',
    'Requests to the chat service, by outcome: delivered, refused, failed (it is retried)',
    'outcome'
  ),
  chatDeadLetters: counter('chat_dead_letters_total', 'Dead letters, by reason: refused, evicted, expired', 'reason'),
  chatLagSeconds: gauge(
    'chat_lag_seconds',
    'Age of the oldest message that waits for the chat service, of those this node delivers; take the maximum of all nodes'
  ),
  roomServiceAnswers: counter(
    'room_service_answers_total',
    'Requests to the room service, by outcome: known, unknown, failed',
    'outcome'
  ),
  mediaRequests: counter(
    'media_requests_total',
    'Requests to media services, by outcome: ok, refused, failed, not_sent (the service is down)',
    'outcome'
  ),
  mediaEventsSkipped: counter(
    'media_events_skipped_total',
    'Pushed events and notices of media services of a type that this version does not know'
  ),
  mediaServiceUp: gauge('media_service_up', 'Whether this node finds the media service up: 1 or 0', 'service')
})

const webhookMetrics = ({ counter, gauge, histogram }: MetricFactory) => ({
  webhookDeliveries: counter(
    'webhook_deliveries_total',
    'Attempts to deliver webhooks, by destination and outcome: delivered, failed (it is sent again), given_up, disabled',
    'destination',
    'outcome'
  ),
  webhookLagSeconds: histogram('webhook_lag_seconds', 'Age of an event when it was delivered', {
    buckets: LAG_SECONDS
  }),
  webhookQueues: gauge(
    'webhook_queues',
    'Calls, rooms and users with events that wait, for each destination, on all nodes'
  ),
  webhookOverdueSeconds: gauge(
    'webhook_overdue_seconds',
    'How long the webhook queue that is due for longest has been due, on all nodes'
  ),
  webhookUp: gauge(
    'webhook_up',
    'Whether this node finds the destination up: 0 if it is paused or disabled',
    'destination'
  ),
  webhookDeadLetters: counter(
    'webhook_dead_letters_total',
    'Events that became dead letters, by destination and reason: given_up, disabled',
    'destination',
    'reason'
  ),
  webhooksDropped: counter(
    'webhooks_dropped_total',
    'Events that were dropped, by reason: queue_full (the oldest of its queue), backlog_full (too many queues)',
    'reason'
  )
})

const httpMetrics = ({ counter, histogram }: MetricFactory) => ({
  problems: counter('problems_total', 'Problem documents sent, by code', 'code'),
  httpRequestSeconds: histogram(
    'http_request_seconds',
    'Requests that were answered, by route template, method and status class; streams and polls are left out',
    { buckets: FAST_SECONDS, labelNames: ['route', 'method', 'status'] }
  )
})
