// Calls as operators see them (openapi/admin.yaml).
import { type Static, Type } from 'typebox'
import { NextPage } from './admin-page.js'
import { Call, Media } from './call.js'
import { CallId, Metadata, Strict, UserId } from './common.js'
import { WhenOffline } from './push.js'

export const CallPath = Type.Object({ callId: CallId() }, { ...Strict })

export const AdminCall = Type.Object(
  {
    ...Call.properties,
    away: Type.Object(
      {
        caller: Type.Boolean({ description: 'Whether the device of the caller is disconnected.' }),
        callee: Type.Boolean({ description: 'Whether the device of the callee is disconnected.' })
      },
      {
        $id: 'CallAway',
        description: 'Which sides are disconnected. A side that does not come back is lost.',
        ...Strict
      }
    ),
    blocked: Type.Boolean({ description: 'Whether the callee blocks the caller: then no device rings.' })
  },
  { $id: 'AdminCall', description: 'A call. What does not apply yet is null.', ...Strict }
)
export type AdminCall = Static<typeof AdminCall>

export const AdminCallReply = Type.Object({ call: AdminCall }, { $id: 'AdminCallReply', ...Strict })
export type AdminCallReply = Static<typeof AdminCallReply>

export const StartCallRequest = Type.Object(
  {
    from: UserId('The user who rings first, and is the caller.'),
    to: UserId('The user who is called when `from` has accepted.'),
    callId: Type.Optional(CallId('A random id, such as a UUID. A retry with the same id returns the same call.')),
    media: Type.Optional(Media),
    metadata: Type.Optional(Metadata),
    ringTimeoutMs: Type.Optional(
      Type.Integer({
        minimum: 5000,
        maximum: 90_000,
        description: 'How long each of the two rings. `RING_TIMEOUT_MS` by default.'
      })
    ),
    whenOffline: Type.Optional(WhenOffline),
    offerer: Type.Optional(
      Type.Enum(['caller', 'callee'], {
        $id: 'StartedOfferer',
        description:
          'Who makes the first offer: `caller` (default), which is `from`, with its accept or later; or `callee`.'
      })
    )
  },
  { $id: 'StartCallRequest', ...Strict }
)
export type StartCallRequest = Static<typeof StartCallRequest>

export const AdminCallsReply = Type.Object(
  { calls: Type.Array(AdminCall, { description: 'Live calls, in no order.' }), next: NextPage },
  {
    $id: 'AdminCallsReply',
    description:
      'A page of the live calls. A call that lives from the first page to the last is on at least one of them; it may be on two, if many calls begin or end meanwhile.',
    ...Strict
  }
)
export type AdminCallsReply = Static<typeof AdminCallsReply>
