// The hub has one subscription for each user, also when subscribers join and leave concurrently.
import t from 'tap'
import { createHub } from '../../src/delivery/hub.js'
import { AppError } from '../../src/errors.js'
import type { Wakeup, Wakeups } from '../../src/store/store.js'
import { silentLog } from '../helpers/store.js'

/** Wake-ups of a store. The test releases its replies. */
class GatedWakeups implements Pick<Wakeups, 'subscribe'> {
  readonly listeners = new Set<(wakeup: Wakeup) => void>()
  subscriptions = 0
  /** The replies that wait. */
  readonly waiting: (() => void)[] = []
  isDown = false

  async subscribe(_user: string, listen: (wakeup: Wakeup) => void): Promise<() => Promise<void>> {
    this.subscriptions++
    await this.#reply()
    if (this.isDown) throw new AppError('store_unavailable')
    this.listeners.add(listen)
    return async () => {
      await this.#reply()
      this.listeners.delete(listen)
    }
  }

  /** Releases all replies, also those that wait as a consequence. */
  async releaseAll(): Promise<void> {
    for (let quiet = 0; quiet < 10; quiet++) {
      for (const release of this.waiting.splice(0)) {
        release()
        quiet = 0
      }
      await Promise.resolve()
    }
  }

  #reply(): Promise<void> {
    return new Promise(resolve => this.waiting.push(resolve))
  }
}

const consumer = (device: string) => {
  const wakeupKinds: string[] = []
  return {
    actor: { user: 'alice', device, expiresAt: null },
    wakeupKinds,
    endIfRevoked: () => undefined,
    wake: ({ kind }: Wakeup) => wakeupKinds.push(kind)
  }
}

const setUp = () => {
  const wakeups = new GatedWakeups()
  return { wakeups, hub: createHub({ store: { wakeups }, log: silentLog }) }
}

t.test('devices of a user share one subscription, and each gets its own wake-ups and those for all', async t => {
  const { wakeups, hub } = setUp()
  const [phone, laptop] = [consumer('phone'), consumer('laptop')]
  const joined = Promise.all([hub.join(phone), hub.join(laptop)])
  await wakeups.releaseAll()
  await joined
  t.equal(wakeups.subscriptions, 1)
  for (const listen of wakeups.listeners) {
    listen({ kind: 'gone', device: 'phone' })
    listen({ kind: 'gap' })
  }
  t.same(phone.wakeupKinds, ['gone', 'gap'])
  t.same(laptop.wakeupKinds, ['gap'])
})

t.test('the subscription ends when the last subscriber leaves, and leave is idempotent', async t => {
  const { wakeups, hub } = setUp()
  const [phone, laptop] = [consumer('phone'), consumer('laptop')]
  const joined = Promise.all([hub.join(phone), hub.join(laptop)])
  await wakeups.releaseAll()
  await joined
  await hub.leave(phone)
  t.equal(wakeups.listeners.size, 1)
  const left = Promise.all([hub.leave(laptop), hub.leave(laptop), hub.leave(phone)])
  await wakeups.releaseAll()
  await left
  t.equal(wakeups.listeners.size, 0)
  t.equal(hub.size, 0)
})

t.test('a subscriber that joins while the last one leaves is subscribed', async t => {
  const { wakeups, hub } = setUp()
  const [first, second] = [consumer('phone'), consumer('phone')]
  const done = [hub.join(first), hub.leave(first), hub.join(second)]
  await wakeups.releaseAll()
  await Promise.all(done)
  t.equal(wakeups.listeners.size, 1)
  for (const listen of wakeups.listeners) listen({ kind: 'gap' })
  t.same(second.wakeupKinds, ['gap'])
  t.same(first.wakeupKinds, [])
  const left = hub.leave(second)
  await wakeups.releaseAll()
  await left
  t.equal(wakeups.listeners.size, 0)
})

t.test('a failed subscription rejects all joins that wait for it, and the next join subscribes anew', async t => {
  const { wakeups, hub } = setUp()
  const [phone, laptop] = [consumer('phone'), consumer('laptop')]
  wakeups.isDown = true
  const joined = Promise.allSettled([hub.join(phone), hub.join(laptop)])
  await wakeups.releaseAll()
  t.match(await joined, [{ reason: { code: 'store_unavailable' } }, { reason: { code: 'store_unavailable' } }])
  t.equal(hub.size, 0)
  wakeups.isDown = false
  const again = hub.join(phone)
  await wakeups.releaseAll()
  await again
  t.equal(wakeups.subscriptions, 2)
  t.equal(wakeups.listeners.size, 1)
})

t.test('a subscriber that leaves while it is woken does not make others miss the wake-up', async t => {
  const { wakeups, hub } = setUp()
  const laptop = consumer('laptop')
  const phone = { ...consumer('phone'), wake: () => void hub.leave(phone) }
  const joined = Promise.all([hub.join(phone), hub.join(laptop)])
  await wakeups.releaseAll()
  await joined
  for (const listen of wakeups.listeners) listen({ kind: 'gap' })
  t.same(laptop.wakeupKinds, ['gap'])
})
