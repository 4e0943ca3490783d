// The optional service that is asked before anything rings (a call, or an invitation of one user into a room), and with
// PRESENCE_VISIBILITY=policy before anyone is shown the presence of another user. It gets a PolicyRequest by
// POST and answers 200 with {"allow": true} or {"allow": false, "reason": "…"}; anything else, or nothing in time, counts as no
// answer. docs/guides/services.md is its contract.
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'
import { ask } from './outgoing.js'

interface Asked {
  /** The user who calls, invites or looks. */
  readonly caller: { readonly user: string; readonly device: string }
  /** The id of the user who would ring, or be seen. */
  readonly to: string
}

interface Purpose {
  /** What the call, or the room, is meant for. */
  readonly media: unknown
  readonly metadata: unknown
}

type Call = Purpose & { readonly action: 'call'; readonly callId: string }
type Invitation = Purpose & { readonly action: 'invitation'; readonly roomId: string; readonly invitationId: string }
type Presence = { readonly action: 'presence' }

export type PolicyRequest = Asked & (Call | Invitation | Presence)

export interface PolicyAnswer {
  readonly allow: boolean
  /** A sentence for the caller. */
  readonly reason?: string
}

const MAX_REASON = 500
/** Of an answer. */
const MAX_BYTES = 64 * 1024

type PolicyConfig = Pick<Config, 'policyUrl' | 'policyTimeoutMs' | 'policyOnError'>

/** Allows everything when no service is configured. Throws policy_unavailable when it does not answer and POLICY_ON_ERROR is deny. */
export async function askPolicy(
  config: PolicyConfig,
  request: PolicyRequest,
  log: FastifyBaseLogger
): Promise<PolicyAnswer> {
  if (config.policyUrl === null) return { allow: true }
  try {
    return await askService(config.policyUrl, request, config.policyTimeoutMs)
  } catch (cause) {
    log.warn({ err: cause, onError: config.policyOnError }, 'the policy service did not answer')
    if (config.policyOnError === 'allow') return { allow: true }
    throw new AppError('policy_unavailable', { cause })
  }
}

async function askService(url: string, request: PolicyRequest, timeoutMs: number): Promise<PolicyAnswer> {
  const { status, text } = await ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(request),
    timeoutMs,
    maxBytes: MAX_BYTES
  })
  if (status !== 200) throw new Error(`answered with ${status}`)
  const { allow, reason } = JSON.parse(text) as { allow?: unknown; reason?: unknown }
  if (typeof allow !== 'boolean') throw new Error('answered without "allow"')
  return typeof reason === 'string' ? { allow, reason: reason.slice(0, MAX_REASON) } : { allow }
}
