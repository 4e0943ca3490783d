// Where a late offer is appended, in mailboxes with many events, and in ones that were evicted or deleted.
import t, { type Test } from 'tap'
import { cursorBeforeOffer } from '../../src/services/device/late-offer.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Cursor, StoredEvent, StoreOptions } from '../../src/store/store.js'
import { ManualClock } from '../helpers/clock.js'
import { LIMITS } from '../helpers/limits.js'

const phone = { user: 'alice', device: 'phone' }
const isOffer = ({ type }: StoredEvent) => type === 'call.incoming'

async function openMailbox(t: Test, options: Partial<StoreOptions> = {}) {
  const clock = new ManualClock()
  const store = createMemoryStore({ ...LIMITS, ...options, clock })
  t.teardown(() => store.close())
  const { user, device } = phone
  const touch = () => store.mailboxes.touch(user, device, { now: clock.now(), tag: 'birth' })
  const since = (await touch())?.head as Cursor
  let sent = 0
  const append = async (type: string, count = 1) => {
    for (let n = 0; n < count; n++) {
      const event = { device, type, envelope: '{}', tag: `t${sent++}` }
      await store.mailboxes.send(user, { basis: null, ...event, now: clock.now() })
    }
  }
  const head = async () => (await touch())?.head
  return { store, append, head, find: () => cursorBeforeOffer({ store, clock }, phone, { since, isOffer }) }
}

t.test('a late offer is appended at the head of an empty mailbox', async t => {
  const { find, head } = await openMailbox(t)
  t.same(await find(), await head())
})

t.test('a late offer is appended at the head when no page of the mailbox has an offer', async t => {
  const { append, find, head } = await openMailbox(t)
  await append('signal.candidates', 250)
  t.same(await find(), await head())
  t.match(await find(), { seq: 250 })
})

t.test('no offer is appended when a later page of the mailbox has one', async t => {
  const { append, find } = await openMailbox(t)
  await append('signal.candidates', 150)
  await append('call.incoming')
  await append('signal.candidates')
  t.equal(await find(), null)
})

t.test('a late offer is appended at the head when events were evicted', async t => {
  const { append, find, head } = await openMailbox(t, { mailboxMaxEvents: 10 })
  await append('call.incoming')
  await append('signal.candidates', 200)
  t.same(await find(), await head())
})

t.test('no offer is appended when the device has signed off', async t => {
  const { store, find } = await openMailbox(t)
  await store.mailboxes.remove(phone.user, phone.device)
  t.equal(await find(), null)
})
