// What the server counts about itself, for Prometheus. A registry of its own: two apps in one process do not share numbers.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** From half a millisecond (a local Redis) to five seconds (one in trouble). */
const FAST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
/** People answer calls in seconds; the ring and connect timeouts end the scale. */
const HUMAN_SECONDS = [0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  return {
    registry,
    callsCreated: new Counter({
      name: 'signalpost_calls_created_total',
      help: 'Answers to a create, by what became of it: created, existing, merged',
      labelNames: ['resolution'],
      registers
    }),
    callsEnded: new Counter({
      name: 'signalpost_calls_ended_total',
      help: 'Calls that ended, by reason',
      labelNames: ['reason'],
      registers
    }),
    callSetupSeconds: new Histogram({
      name: 'signalpost_call_setup_seconds',
      help: 'From the create of a call until both sides are connected',
      buckets: HUMAN_SECONDS,
      registers
    }),
    streamsOpen: new Gauge({
      name: 'signalpost_streams_open',
      help: 'Open streams and waiting polls of this node, by transport: sse, poll',
      labelNames: ['transport'],
      registers
    }),
    eventsDelivered: new Counter({
      name: 'signalpost_events_delivered_total',
      help: 'Events written to clients, by transport: sse, poll',
      labelNames: ['transport'],
      registers
    }),
    resumes: new Counter({
      name: 'signalpost_resumes_total',
      help: 'Streams and polls opened, by outcome: hello, replay, reset_expired, reset_evicted, reset_unknown, reset_future',
      labelNames: ['outcome'],
      registers
    }),
    commitSeconds: new Histogram({
      name: 'signalpost_commit_seconds',
      help: 'From the decision on a change until it is committed and its events are in the mailboxes',
      buckets: FAST_SECONDS,
      registers
    }),
    storeRoundTripSeconds: new Histogram({
      name: 'signalpost_store_round_trip_seconds',
      help: 'Round trip of a probe to the store',
      buckets: FAST_SECONDS,
      registers
    }),
    clockOffsetSeconds: new Gauge({
      name: 'signalpost_clock_offset_seconds',
      help: 'The clock of this machine minus that of Redis; deadlines and presence use that of Redis',
      registers
    }),
    chatDeliveries: new Counter({
      name: 'signalpost_chat_deliveries_total',
      help: 'Requests to the chat service, by outcome: delivered, refused, failed (and tried again)',
      labelNames: ['outcome'],
      registers
    }),
    chatDeadLetters: new Counter({
      name: 'signalpost_chat_dead_letters_total',
      help: 'Messages the chat service will not get, by reason: refused, evicted, expired',
      labelNames: ['reason'],
      registers
    }),
    chatLagSeconds: new Gauge({
      name: 'signalpost_chat_lag_seconds',
      help: 'Age of the oldest message that waits for the chat service, of those this node has looked at; take the maximum of all nodes',
      registers
    }),
    roomServiceAnswers: new Counter({
      name: 'signalpost_room_service_answers_total',
      help: 'What the room service was asked for, by outcome: known, unknown, failed',
      labelNames: ['outcome'],
      registers
    }),
    problems: new Counter({
      name: 'signalpost_problems_total',
      help: 'Problem documents sent, by code',
      labelNames: ['code'],
      registers
    }),
    httpRequestSeconds: new Histogram({
      name: 'signalpost_http_request_seconds',
      help: 'Requests that were answered and closed, by route template, method and status class; streams are left out',
      labelNames: ['route', 'method', 'status'],
      buckets: FAST_SECONDS,
      registers
    })
  }
}
