// Who may see whose presence. Someone who may not see a user gets what a user who does not exist gives: offline, never seen.
import { LRUCache } from 'lru-cache'
import { askPolicy } from '../../adapters/policy.js'
import type { Endpoint } from '../../schemas/common.js'
import { listCalls } from '../call/call-actions.js'
import { type Context, perContext } from '../context.js'
import { haveCommonRoom, roomIdsOf } from '../room/memberships.js'

/** How long an answer of the policy service is kept. */
const ANSWER_TTL_MS = 30_000

/** Asked about one user for any number of askers; what they are compared with is read at most once. */
type PresenceJudge = (asker: Endpoint) => Promise<boolean>

export function mayShowPresence(context: Context, asker: Endpoint, user: string): Promise<boolean> {
  return presenceJudge(context, user)(asker)
}

export function presenceJudge(context: Context, user: string): PresenceJudge {
  const { presenceVisibility: visibility } = context.config
  let circle: Promise<Circle> | null = null
  let blocks: Promise<readonly string[]> | null = null
  return async asker => {
    if (asker.user === user) return true
    blocks ??= context.store.contacts.blocks(user, context.clock.now())
    if ((await blocks).includes(asker.user)) return false
    if (visibility === 'everyone') return true
    if (visibility === 'policy') return policyAllows(context, asker, user)
    circle ??= readCircle(context, user)
    return isInCircle(context, await circle, asker.user)
  }
}

interface Circle {
  readonly rooms: ReadonlySet<string>
  /** Those the user talks to. */
  readonly peers: ReadonlySet<string>
}

/** A call counts once it was answered: ringing somebody must not show whether they are there. */
async function readCircle(context: Context, user: string): Promise<Circle> {
  const [rooms, calls] = await Promise.all([roomIdsOf(context, user), listCalls(context, { user })])
  const answered = calls.filter(({ answeredAt }) => answeredAt !== null)
  return {
    rooms,
    peers: new Set(answered.flatMap(({ caller, callee }) => [caller.user, callee?.user ?? caller.user]))
  }
}

async function isInCircle(context: Context, { rooms, peers }: Circle, asker: string): Promise<boolean> {
  if (peers.has(asker)) return true
  return rooms.size > 0 && haveCommonRoom(rooms, await roomIdsOf(context, asker))
}

interface Answer {
  readonly at: number
  readonly allow: Promise<boolean>
}

const answersOf = perContext(() => new LRUCache<string, Answer>({ max: 50_000 }))

/** Without an answer nobody is shown, unless POLICY_ON_ERROR is allow. */
function policyAllows(context: Context, { user: asker, device }: Endpoint, user: string): Promise<boolean> {
  const { clock, config, log } = context
  const cache = answersOf(context)
  const key = JSON.stringify([asker, user])
  const known = cache.get(key)
  if (known && clock.now() - known.at < ANSWER_TTL_MS) return known.allow
  const request = { action: 'presence', caller: { user: asker, device }, to: user } as const
  const allow = askPolicy(config, request, log).then(
    answer => answer.allow,
    () => false
  )
  cache.set(key, { at: clock.now(), allow })
  return allow
}
