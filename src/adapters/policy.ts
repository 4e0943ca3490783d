// The optional policy service (docs/guides/services.md). It is asked before a call or an invitation rings, and with
// PRESENCE_VISIBILITY=policy before a user sees the presence of another. It receives a PolicyRequest by POST and replies 200 with
// {"allow": true} or {"allow": false, "reason": "…"}. Any other reply, or none in time, is a failure.
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'
import { sendRequest } from './outgoing.js'

interface Users {
  /** The user who calls, invites or wants to see the presence. */
  readonly caller: { readonly user: string; readonly device: string }
  /** The user whose devices would ring, or whose presence would be shown. */
  readonly to: string
}

interface Purpose {
  /** What the call or room is for. */
  readonly media: unknown
  readonly metadata: unknown
}

type Call = Purpose & { readonly action: 'call'; readonly callId: string }
type Invitation = Purpose & { readonly action: 'invitation'; readonly roomId: string; readonly invitationId: string }
type Presence = { readonly action: 'presence' }

export type PolicyRequest = Users & (Call | Invitation | Presence)

export interface PolicyAnswer {
  readonly allow: boolean
  /** A sentence for the caller. */
  readonly reason?: string
}

/** In characters. */
const MAX_REASON = 500
/** Of a reply. */
const MAX_BYTES = 64 * 1024

type PolicyConfig = Pick<Config, 'policyUrl' | 'policyTimeoutMs' | 'policyOnError'>

/** Allows everything if no service is configured. @throws AppError policy_unavailable after a failure, if POLICY_ON_ERROR is `deny` */
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
  const { status, text } = await sendRequest(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(request),
    timeoutMs,
    maxBytes: MAX_BYTES
  })
  if (status !== 200) throw new Error(`replied with ${status}`)
  const { allow, reason } = JSON.parse(text) as { allow?: unknown; reason?: unknown }
  if (typeof allow !== 'boolean') throw new Error('replied without "allow"')
  return typeof reason === 'string' ? { allow, reason: reason.slice(0, MAX_REASON) } : { allow }
}
