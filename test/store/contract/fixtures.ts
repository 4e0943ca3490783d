// What contract tests commit, append and read, with short defaults.
import type { AggregateRef, Commit, OutboxItem, Stamp } from '../../../src/store/aggregate.js'
import type { UserMail } from '../../../src/store/mail.js'
import type { CommitMail } from '../../../src/store/redis/mailbox-format.js'
import type {
  Cursor,
  DirectEvent,
  MailboxEntry,
  ReadResult,
  Touch,
  Touched,
  UserAppend,
  UserCommit,
  Wakeup
} from '../../../src/store/store.js'
import { CLAIM_TURNS, type ClaimedTimers, type ClaimOptions, TIMER_CLASSES } from '../../../src/store/timers.js'
import type { StoreFixture } from '../contract.js'

export const call = (id: string): AggregateRef => ({ kind: 'call', id })

/** An item of a fan-out log for one user. */
export const deliverTo = (user: string, n = 0): Extract<OutboxItem, { do: 'deliver' }> => ({
  do: 'deliver',
  user,
  event: { type: 'call.incoming', timestamp: '2026-11-21T10:00:00.000Z', data: { n, text: 'grüße | "quoted"\n' } }
})

/** Mail of a commit to a user: one event for all devices. */
export const mailTo = (user: string, text = 'x', parts: Partial<UserMail> = {}): UserMail => ({
  user,
  entries: [mail(text)],
  ...parts
})

/** The stamp of the commit of this version in these tests; null for version 0, before the first commit. */
export const stamp = (version: number, tag = `t${version}`): Stamp | null => (version === 0 ? null : { version, tag })

export const commitOf = (fixture: StoreFixture, expected: number, parts: Partial<Commit> = {}): Commit => ({
  expected: stamp(expected),
  version: expected + 1,
  tag: `t${expected + 1}`,
  state: JSON.stringify({ after: expected }),
  mail: [],
  log: [],
  deadlineAt: null,
  expireInMs: null,
  now: fixture.clock.now(),
  ...parts
})

export const mailOf = (version: number, parts: Partial<CommitMail> = {}): CommitMail => ({
  version,
  tag: `t${version}`,
  entries: [mail(`v${version}`)],
  ...parts
})

/** What fan-out appends of one commit. */
export const appendOf = (
  version: number,
  { source = call('some-call'), ...parts }: Partial<UserCommit & Pick<UserAppend, 'source'>> = {}
): Omit<UserAppend, 'user'> => ({ source, commits: [mailOf(version, parts)] })

/** What fan-out appends of several commits. */
export const appendAll = (commits: readonly UserCommit[]): Omit<UserAppend, 'user'> => ({
  source: call('some-call'),
  commits
})

/** Appends as fan-out does; 'duplicate' if no mailbox of the user got an event. */
export async function append(
  fixture: StoreFixture,
  user: string,
  published: Omit<UserAppend, 'user'>
): Promise<'appended' | 'duplicate'> {
  const before = await countEntries(fixture, user)
  await fixture.store.mailboxes.appendEach([{ user, ...published }], fixture.clock.now())
  return (await countEntries(fixture, user)) > before ? 'appended' : 'duplicate'
}

/** Of all mailboxes of the user, evicted entries included. */
async function countEntries(fixture: StoreFixture, user: string): Promise<number> {
  const devices = await fixture.store.mailboxes.devices(user, fixture.clock.now())
  const pages = await Promise.all(devices.map(({ device }) => read(fixture, user, device, 'start', 1)))
  return pages.reduce((sum, page) => sum + (page.status === 'none' ? 0 : page.head.seq), 0)
}

export const mail = <To extends Partial<MailboxEntry>>(text: string, to?: To) => ({
  type: 'call.incoming',
  envelope: JSON.stringify({ text }),
  ...to
})

export async function touch(
  fixture: StoreFixture,
  user: string,
  device: string,
  parts: Partial<Touch> = {}
): Promise<Touched> {
  const touched = await fixture.store.mailboxes.touch(user, device, {
    now: fixture.clock.now(),
    tag: 'birth',
    ...parts
  })
  if (touched === null) throw new Error(`${device} is one device too many`)
  return touched
}

/** The touch of a stream that opens. */
export const connect = (fixture: StoreFixture, user: string, device: string, connection: string): Promise<Touched> =>
  touch(fixture, user, device, { connection, claim: true, onlineUntil: fixture.clock.now() + 45_000 })

/** The events of a wake-up, each with the tag of the one before. */
export const chained = (wakeup: Wakeup) =>
  wakeup.kind === 'event'
    ? wakeup.events.map((event, i) => ({ ...event, prevTag: wakeup.events[i - 1]?.tag ?? wakeup.prevTag }))
    : []

export const read = (
  fixture: StoreFixture,
  user: string,
  device: string,
  cursor: Cursor | 'start',
  limit = 10_000,
  maxBytes = 16_777_216
): Promise<ReadResult> =>
  fixture.store.mailboxes.read(user, device, { from: cursor, limit, maxBytes, now: fixture.clock.now() })

/** The texts of all events after the cursor, or why there are none. */
export async function texts(fixture: StoreFixture, user: string, device: string, cursor: Cursor | 'start' = 'start') {
  const result = await read(fixture, user, device, cursor)
  if (result.status === 'reset') return result.reason
  return result.status === 'none' ? 'none' : result.events.map(event => JSON.parse(event.envelope).text)
}

/** A direct event for the device phone, without a basis. */
export const directEvent = (fixture: StoreFixture, n: number, parts: Partial<DirectEvent> = {}): DirectEvent => ({
  basis: null,
  device: 'phone',
  ...mail(`v${n}`),
  tag: `t${n}`,
  now: fixture.clock.now(),
  ...parts
})

/** The basis of a direct event that was decided on this commit. */
export const decidedOn = (source: AggregateRef, version: number, tag = `t${version}`): Pick<DirectEvent, 'basis'> => ({
  basis: { source, version, tag }
})

/** Sends `count` events to the device one by one, each with a tag of its own. */
export async function fill(
  fixture: StoreFixture,
  user: string,
  count: number,
  { stem = 'e', device = 'phone' } = {}
): Promise<void> {
  for (let n = 1; n <= count; n++) {
    const message = directEvent(fixture, 1, { device, tag: `${stem}${n}`, ...mail(`${stem}${n}`) })
    await fixture.store.mailboxes.send(user, message)
  }
}

export const CLAIM = { claimMs: 5_000, staleMs: 1_000, limit: 10_000, classes: TIMER_CLASSES }

/** Claims what is due, and returns what has this id: the store holds aggregates of other tests as well. */
export async function claimOf(fixture: StoreFixture, id: string): Promise<Pick<ClaimedTimers, 'due' | 'stale'>> {
  const { due, stale } = await claimWithMarker(fixture, id)
  return { due, stale }
}

/** The same, with the claim marker. */
export async function claimWithMarker(
  { store, clock }: StoreFixture,
  id: string
): Promise<Pick<ClaimedTimers, 'due' | 'stale' | 'claimedUntil'>> {
  const found: ClaimedTimers[] = []
  for (let turn = 0; turn < CLAIM_TURNS; turn++) found.push(await store.timers.claimDue({ ...CLAIM, now: clock.now() }))
  const mine = (refs: ClaimedTimers['due']) => refs.filter(ref => ref.id === id)
  return {
    due: found.flatMap(({ due }) => mine(due)),
    stale: found.flatMap(({ stale }) => mine(stale)),
    claimedUntil: found[0]?.claimedUntil ?? 0
  }
}

/** The first claim of a round that finds something, or the last one. A round covers all partitions. */
export async function claimNext(
  { store, clock }: StoreFixture,
  options: Partial<ClaimOptions>
): Promise<ClaimedTimers> {
  for (let turn = 1; ; turn++) {
    const claimed = await store.timers.claimDue({ ...CLAIM, now: clock.now(), ...options })
    if (claimed.due.length > 0 || turn === CLAIM_TURNS) return claimed
  }
}
