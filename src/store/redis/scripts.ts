// The scripts in lua/, one typed wrapper each. A script runs by its digest (EVALSHA). A server that does not know the digest, after a
// restart, a failover or SCRIPT FLUSH, is sent the text.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { SendResult } from '../store.js'
import type { Client, RunCommand } from './clients.js'
import { hasCode } from './faults.js'
import { type Argument, ScriptCommand, type ScriptInput } from './script-command.js'

/** A stream entry as Redis replies it: id, then fields and values in turn. */
export type StreamEntry = readonly [id: string, fields: readonly string[]]
export type { Argument }

interface Script {
  readonly text: string
  readonly sha: string
}

const LUA = new URL('./lua/', import.meta.url)

function readScript(name: string): Script {
  const read = (file: string) => readFileSync(new URL(`${file}.lua`, LUA), 'utf8')
  const text = read(name).replace(/^-- include (\w+)$/gm, (_, included: string) => read(included))
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

async function evaluate(client: Client, { text, sha }: Script, input: ScriptInput) {
  try {
    return await client.sendCommand(new ScriptCommand('evalsha', sha, input))
  } catch (error) {
    if (!(error instanceof Error && hasCode(error, 'NOSCRIPT'))) throw error
    return client.sendCommand(new ScriptCommand('eval', text, input))
  }
}

/** `Reply` is what the header of the script says under RETURNS; the contract suite runs every script. */
function define<Reply>(name: string) {
  const script = readScript(name)
  return (runCommand: RunCommand, keys: readonly string[], args: readonly Argument[]): Promise<Reply> =>
    runCommand(client => evaluate(client, script, { keys, args })) as Promise<Reply>
}

export type AggregateReply = readonly [stamp: string, state: string, outbox: readonly StreamEntry[]]
export type ConflictReply = readonly ['CONFLICT', ...AggregateReply] | readonly ['CONFLICT']
export type HeadReply = readonly [seq: number, tag: string] | readonly []
/** `reached`: 'online queued watched', see toReached in mailbox-format.ts. */
export type UserReply = readonly [reached: string, held: readonly string[], head: HeadReply]

export const loadAggregate = define<readonly ['OK', ...AggregateReply] | readonly ['NONE']>('aggregate_load')
export const commitAndDeliver = define<
  | readonly ['OK', webhooksRefused: number, ...UserReply[]]
  | ConflictReply
  | readonly ['WAITING']
  | readonly ['REFUSED', user: number, held: readonly string[]]
  | readonly ['UNKNOWN']
  | readonly ['SPENT', charge: number]
>('commit_deliver')
export const commitToOutbox = define<
  readonly ['OK', older: readonly StreamEntry[], webhooksRefused: number] | ConflictReply
>('outbox_commit')
export const settleOutbox = define<'WAITING' | 'SETTLED'>('outbox_settle')
export const askPrimary =
  define<readonly [seconds: string, microseconds: string, epoch: string, isInCluster: 0 | 1]>('primary_ask')
export const claimDue =
  define<readonly ['OK', due: readonly string[], stale: readonly string[], more: 0 | 1, next: string]>('due_claim')
export const reportNode = define<'drain' | 'resume' | ''>('node_report')
export const orderNode = define<'OK' | 'NONE'>('node_order')
export const removeNode = define<'OK'>('node_remove')
export const recordHeartbeat = define<readonly string[]>('node_heartbeat')

export const loadRoom = define<
  | readonly ['OK', version: number, participantCount: number, unpublishedFrom: string, fields: readonly string[]]
  | readonly ['NONE']
>('room_load')
export const commitRoom = define<
  | readonly ['OK', version: number, hasLease: 0 | 1, excess: readonly StreamEntry[], webhooksRefused: number]
  | readonly ['CONFLICT']
  | readonly ['FULL', of: 'participants' | 'lasting']
  | readonly ['KNOWN', version: number]
>('room_commit')
export const trimLog = define<'OK'>('log_trim')
export const rescheduleRoom = define<'OK' | 'NONE'>('room_reschedule')
export const addMembership = define<'OK' | 'FULL'>('membership_add')
export const removeMembership = define<'REMOVED' | 'OTHER'>('membership_remove')
export const addToRoomIndex = define<'OK'>('room_index_add')

export const addWatcher = define<'OK' | 'FULL'>('watcher_add')
export const nextFanout = define<
  | readonly ['BATCH', entries: readonly StreamEntry[], next: string, recipients: readonly string[]]
  | readonly ['IDLE']
  | readonly ['BUSY']
>('fanout_next')
export const renewFanout = define<'OK' | 'LOST'>('fanout_renew')

export const appendMailbox = define<string>('mailbox_append')
export const appendEachMailbox = define<'OK'>('mailbox_append_each')
type SendReply = Exclude<SendResult['status'], 'behind'> | `behind ${number}`
export const sendMailbox = define<SendReply>('mailbox_send')
export const sendMailboxOnCluster = define<SendReply>('mailbox_send_cluster')
export type PageReply =
  | readonly ['OK', seq: number, tag: string, entries: readonly StreamEntry[]]
  | readonly ['RESET', seq: number, tag: string, reason: 'evicted' | 'unknown' | 'future']
export const readMailbox = define<PageReply | readonly ['NONE']>('mailbox_read')
export const touchMailbox = define<
  | readonly [
      status: 'OK' | 'NEW',
      ...head: readonly [seq: number, tag: string],
      connection: string,
      authExpiresAt: string,
      requestedAt: number,
      involved: number,
      page: PageReply | readonly []
    ]
  | readonly ['FULL']
>('mailbox_touch')
export const renewMailbox = define<HeadReply>('mailbox_renew')
export const requestMailbox = define<'OK' | 'NONE'>('mailbox_request')
export const closeMailbox = define<'OK' | 'OTHER'>('mailbox_close')
export const removeMailbox = define<'REMOVED' | 'NONE'>('mailbox_remove')
export const putTicket = define<'OK'>('ticket_put')
export const useTicket = define<string | null>('ticket_use')
export const putPushSubscription = define<'OK'>('push_subscription_put')
export const removePushSubscription = define<'REMOVED' | 'OTHER'>('push_subscription_remove')

export const putRevocation = define<readonly ['OK', record: string] | readonly ['FULL' | 'NONE', text?: never]>(
  'revocation_put'
)
export const noteIssuerLead = define<'OK'>('issuer_lead_note')
export const replaceCredential = define<'OK' | 'CHANGED' | 'FULL'>('credential_replace')

export const recordEpoch = define<string>('epoch_record')

export const readCallee =
  define<
    readonly [
      isBlocked: 0 | 1,
      isKnown: 0 | 1,
      backoff: string,
      isReachable: 0 | 1,
      memberships: readonly string[],
      online: readonly string[],
      subscribed: readonly string[]
    ]
  >('callee_read')
export const recordContact = define<'OK'>('contact_record')
export const addBlock = define<'OK' | 'FULL'>('block_add')
export const takeLease = define<readonly ['TAKEN' | 'REFUSED', ...string[]]>('lease_take')
export const putCachedAnswer = define<'OK' | 'OTHER'>('cached_answer_put')
export const addDeadLetter = define<'OK' | 'KNOWN'>('dead_letter_add')
export const removeDeadLetter = define<'REMOVED' | 'NONE'>('dead_letter_remove')
export const addToLineLog = define<'OK'>('line_log_add')
export const appendWebhook = define<number>('webhook_append')
export const nextWebhooks = define<
  | readonly ['BATCH', first: number, attempts: number, dropped: number, events: readonly string[]]
  | readonly ['IDLE']
  | readonly ['BUSY']
>('webhook_next')
export const postponeWebhooks = define<'OK' | 'LOST'>('webhook_postpone')
export const takeBudget = define<`GRANTED ${number}`>('budget_take')
