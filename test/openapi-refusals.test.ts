// The OpenAPI document lists for each operation of a call exactly the refusals that the rules can give: every device sends every command in
// every state.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import type { CallCommand } from '../src/domain/call/command.js'
import type { CallState } from '../src/domain/call/state.js'
import { decideCallCancel } from '../src/domain/call/tombstone.js'
import { parseDescription } from '../src/domain/negotiation/sdp.js'
import { AppError, type ErrorCode } from '../src/errors.js'
import type { Endpoint } from '../src/schemas/common.js'
import {
  accept,
  after,
  attempt,
  CAST,
  cancel,
  cancelTransfer,
  carol,
  connected,
  connecting,
  create,
  describe,
  ended,
  hangup,
  laptop,
  media,
  message,
  phone,
  reject,
  ringing,
  simple,
  T0,
  transfer,
  transferorLeft,
  transferred,
  transferring,
  trickle,
  tv
} from './helpers/calls.js'
import { candidate, sdp } from './helpers/sdp.js'

const answered = [create(), accept(laptop)]
const negotiated = [...answered, describe('offer', phone, 'cal1'), describe('answer', laptop, 'bob1')]
const STATES: readonly (CallState | null)[] = [
  null,
  ringing(),
  connecting(),
  connected(),
  ended(),
  after(...answered, describe('offer', phone, 'cal1')),
  after(...answered, describe('offer', phone, 'cal1'), describe('offer', phone, 'cal2')),
  after(...negotiated),
  after(...negotiated, describe('offer', phone, 'cal2'), describe('answer', laptop, 'bob2')),
  after(...negotiated, describe('offer', laptop, 'bob2')),
  transferring(),
  transferred(),
  transferorLeft(),
  { ...connected(), transfers: 8 }
]

/** Devices of carol, who is no party at first. */
const TARGETS = [carol, tv]
const REVISIONS = [undefined, 1, 2, 9]
const described = (ufrag: string) => parseDescription(sdp(ufrag))
const MANY = Array.from({ length: 300 }, (_, i) => candidate(i, 'late'))

type Commands = (actor: Endpoint) => CallCommand[]

const COMMANDS: Readonly<Record<string, Commands>> = {
  reportRinging: actor => [simple('ringing', actor)],
  acceptCall: actor => [
    accept(actor),
    accept(actor, { answer: described('new1') }),
    accept(actor, { offer: described('new1') })
  ],
  rejectCall: actor => [reject(actor, 'user'), reject(actor, 'device')],
  cancelCall: actor => [cancel(actor)],
  reportConnected: actor => [simple('connected', actor)],
  transferCall: actor => TARGETS.map(to => transfer(actor, to)),
  cancelTransfer: actor => [cancelTransfer(actor)],
  holdCall: actor => [simple('hold', actor)],
  resumeCall: actor => [simple('resume', actor)],
  updateCallMedia: actor => [media(actor, { audio: false })],
  hangUpCall: actor => [hangup(actor)],
  sendCallMessage: actor => [message(actor, 'm1')],
  sendOffer: actor => REVISIONS.map(revision => describe('offer', actor, 'new1', revision)),
  sendAnswer: actor => REVISIONS.map(revision => describe('answer', actor, 'new1', revision)),
  sendCandidates: actor => [
    trickle(actor, [candidate(1, 'cal1')]),
    trickle(actor, [candidate(1, 'bob1')]),
    trickle(actor, MANY)
  ]
}

function refusalOf(state: CallState | null, command: CallCommand): ErrorCode | null {
  if (command.type !== 'cancel') {
    const outcome = attempt(state, command, T0 + 9000)
    return outcome instanceof AppError ? outcome.code : null
  }
  try {
    decideCallCancel(state, command, T0 + 9000)
    return null
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

const refusalsOf = (commands: Commands): Set<ErrorCode> => {
  const codes = STATES.flatMap(state =>
    Object.values({ ...CAST, carol })
      .flatMap(commands)
      .map(command => refusalOf(state, command))
  )
  return new Set(codes.filter(code => code !== null))
}

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly description?: string }>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly responses: Readonly<Record<string, { readonly description: string }>> }
}
const { paths, components }: Document = parse(readFileSync(new URL('../openapi/openapi.yaml', import.meta.url), 'utf8'))

function documentedRefusals({ responses }: Operation): string[] {
  const text = Object.values(responses)
    .map(({ $ref, description }) => description ?? components.responses[$ref?.split('/').at(-1) ?? '']?.description)
    .join(' ')
  return [...text.matchAll(/`(\w+)`:/g)].map(([, code]) => code ?? '')
}

t.test('each operation of a call lists exactly the refusals that the rules can give', async t => {
  const refusals = new Map(Object.entries(COMMANDS).map(([id, commands]) => [id, refusalsOf(commands)]))
  const ofRules = new Set<string>([...refusals.values()].flatMap(codes => [...codes]))
  const operations = Object.values(paths).flatMap(methods => Object.values(methods))
  for (const [id, codes] of refusals) {
    const operation = operations.find(({ operationId }) => operationId === id)
    const documented = operation ? documentedRefusals(operation).filter(code => ofRules.has(code)) : []
    t.strictSame(documented.sort(), [...codes].sort(), id)
  }
})
