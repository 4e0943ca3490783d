// What is recorded of deliveries: a line in the log of the destination for each attempt, and notes for the timelines of calls. Lines are
// written together a moment later, because a busy destination makes many. A node that is killed loses those of the last moment.
import type { WebhookDelivery } from '../../schemas/admin-webhook.js'
import { CALL_NOTES_MAX, DELIVERY_LOG, type LineLogBounds, type LineLogs } from '../../store/line-logs.js'
import { type Context, perContext } from '../context.js'

/** Of one id between two writes. The newest are kept. */
const PENDING_MAX = 1000

interface Pending {
  readonly attempts: Map<string, string[]>
  readonly notes: Map<string, string[]>
}

const pendingOf = perContext<Pending>(() => ({ attempts: new Map(), notes: new Map() }))

export function recordAttempt(context: Context, destination: string, attempt: WebhookDelivery): void {
  add(pendingOf(context).attempts, destination, JSON.stringify(attempt))
}

/** `line`: of formatNote. */
export function recordNote(context: Context, callId: string, line: string): void {
  add(pendingOf(context).notes, callId, line)
}

function add(pending: Map<string, string[]>, id: string, line: string): void {
  const lines = pending.get(id) ?? []
  lines.push(line)
  if (lines.length > PENDING_MAX) lines.shift()
  pending.set(id, lines)
}

/** Writes what has been recorded. Lines that cannot be written are lost. */
export async function writeRecords(context: Context): Promise<void> {
  const { attempts, notes } = pendingOf(context)
  const { deliveryLog, callNotes } = context.store
  const keepNotes = { max: CALL_NOTES_MAX, keepMs: context.config.retentionMs }
  await Promise.all([...write(deliveryLog, attempts, DELIVERY_LOG), ...write(callNotes, notes, keepNotes)]).catch(
    error => context.log.debug({ err: error }, 'records of webhook deliveries not written')
  )
}

function write(logs: LineLogs, pending: Map<string, string[]>, bounds: LineLogBounds): Promise<void>[] {
  const all = [...pending]
  pending.clear()
  return all.map(([id, lines]) => logs.add(id, lines, bounds))
}
