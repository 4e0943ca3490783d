// What the record of a call needs and no commit of the call shows: candidates that were passed on at once, and which nodes serve the devices.
// Kept by commits of its own, in the background, and only if the systems of the operator receive the record.
import type { CommandOf, SeenConnection } from '../../domain/call/command.js'
import { decideCall } from '../../domain/call/decide-call.js'
import { endpointOf } from '../../domain/call/party.js'
import type { CallState, Side } from '../../domain/call/state.js'
import { nodeNameOf, nodeOfConnection } from '../../ids.js'
import type { Context } from '../context.js'
import { isWanted } from '../webhooks/queue-events.js'
import { updateCall } from './update-call.js'

const isRecorded = (context: Context) => isWanted(context, 'call.record')

/** After candidates were sent: types that are new cost a commit, at most four for each side. */
export function seeCandidates(
  context: Context,
  call: CallState,
  { actor, batch }: Pick<CommandOf<'candidates'>, 'actor' | 'batch'>
): void {
  if (isRecorded(context)) see(context, call, { type: 'seen', actor, batch })
}

/** After the answer: the nodes that the devices in the call are connected to. A later resume shows whether it came to another one. */
export function seeNodes(context: Context, call: CallState): void {
  if (!isRecorded(context)) return
  context.background.run(`nodes of call ${call.callId}`, async () => {
    const [caller, callee] = await Promise.all([nodeOf(context, call, 'caller'), nodeOf(context, call, 'callee')])
    see(context, call, { type: 'served', nodes: { caller, callee } })
  })
}

async function nodeOf({ store, clock }: Context, call: CallState, side: Side): Promise<string | null> {
  const end = endpointOf(call, side)
  if (end === null) return null
  const devices = await store.mailboxes.devices(end.user, clock.now())
  const connection = devices.find(({ device }) => device === end.device)?.connection ?? ''
  return connection === '' ? null : nodeOfConnection(connection)
}

function see(context: Context, call: CallState, command: CommandOf<'seen' | 'served'>): void {
  if (decideCall(call, command, context.clock.now()).state === call) return
  const { callId } = call
  context.background.run(`seen of call ${callId} ${context.ids.unique()}`, async () => {
    await updateCall(context, { id: callId }, (state, now) => decideCall(state, command, now))
  })
}

/** Undefined: the systems of the operator receive no records. */
export const seenConnection = (context: Context, isResume: boolean): SeenConnection | undefined =>
  isRecorded(context) ? { node: nodeNameOf(context.node), isResume } : undefined
