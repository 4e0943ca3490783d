// A burst in a large room: messages at a fixed interval, even if the server is slow, and at the same time calls that are not answered.
// Members have mailboxes and no streams, so the load generator does not have to read the events.
import { setTimeout as sleep } from 'node:timers/promises'
import { createToken } from '../harness/tokens.mjs'
import { HttpUser } from './http-user.mjs'
import { inParallel } from './pairs.mjs'

const JOINS_AT_ONCE = 16
const AUTHORS = 10

function makeUser(name, { secret, port, onEvent = () => {} }) {
  const token = createToken(secret, { sub: name, device: name })
  return new HttpUser({ name, token, nodes: { stream: port, post: port }, onEvent })
}

async function expect(status, reply, what) {
  const { status: got, body } = await reply
  if (got !== status) throw new Error(`${what}: ${got} ${body}`)
}

/** Makes one unanswered call after another. Resolves to how late each ring timeout fired, in milliseconds. */
async function ring({ secret, ports, ringMs, until }) {
  const late = []
  for (let n = 0; performance.now() < until; n++) late.push(await ringOnce(n, { secret, ports, ringMs, until }))
  return late
}

/** Uses two new users, because the back-off delays a second call to the same one. */
async function ringOnce(n, { secret, ports, ringMs, until }) {
  let ended = () => {}
  const over = new Promise(resolve => {
    ended = resolve
  })
  const onEvent = type => type === 'call.ended' && ended(true)
  const caller = makeUser(`caller${n}`, { secret, port: ports[0], onEvent })
  const callee = makeUser(`callee${n}`, { secret, port: ports.at(-1) })
  await Promise.all([caller.open(), callee.open()])
  const startedAt = performance.now()
  await expect(201, caller.act('create', `ring-${n}`, `"to":"callee${n}"`), 'create')
  await Promise.race([over, sleep(Math.max(0, until - performance.now()) + 5_000)])
  const late = performance.now() - startedAt - ringMs
  caller.close()
  callee.close()
  return late
}

/** `size` members join; then they send a message every `everyMs`, for `forMs`. */
export async function burst({ secret, ports, size, everyMs, forMs, ringMs }, onStart) {
  const people = Array.from({ length: size }, (_, i) => makeUser(`m${i}`, { secret, port: ports[i % ports.length] }))
  await inParallel(people, JOINS_AT_ONCE, person =>
    expect(201, person.post('/v1/rooms/room/participants', '{}'), 'join')
  )
  await onStart()
  const until = performance.now() + forMs
  const ringing = ring({ secret, ports, ringMs, until })
  const posts = []
  const authors = people.slice(0, AUTHORS)
  for (let n = 0; performance.now() < until; n++) {
    const startedAt = performance.now()
    const answered = authors[n % AUTHORS].post('/v1/rooms/room/messages', `{"content":"message ${n}"}`)
    posts.push(answered.then(({ status }) => ({ status, ms: performance.now() - startedAt })))
    await sleep(Math.max(0, everyMs - (performance.now() - startedAt)))
  }
  const unanswered = { status: 0, ms: Number.POSITIVE_INFINITY }
  const late = await ringing
  const replies = await Promise.all(posts.map(post => Promise.race([post, sleep(0, unanswered)])))
  for (const person of people) person.close()
  return { replies, late }
}
