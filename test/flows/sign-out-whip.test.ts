// WHIP and WHEP clients of a user or a device that an operator signs out, with a media service that has no media.
import t from 'tap'
import { PUBLISHING_OFFERS, VIEWING_OFFERS } from '../corpus/whip/all.js'
import { TestMediaService } from '../helpers/media-service.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { operate, WITH_ADMIN } from '../helpers/sessions.js'
import { until } from '../helpers/until.js'
import { WhipClient } from '../helpers/whip-client.js'

const SECRET = 'the-secret-of-the-media-service-32-bytes'
const service = await TestMediaService.start(SECRET)
t.teardown(() => service.close())
const env = { ...WITH_ADMIN, MEDIA_SERVICE_URLS: service.url, MEDIA_SERVICE_SECRET: SECRET }

const PUBLISH = PUBLISHING_OFFERS[0]?.sdp ?? ''
const VIEW = VIEWING_OFFERS[0]?.sdp ?? ''

/** alice's room in mode sfu, in which bob publishes from a camera and an encoder, and views on the camera. */
async function open(scenario: Scenario) {
  service.signalpost = [scenario.urlOf(0), scenario.urlOf(scenario.lastNode)]
  const alice = await scenario.addClient('alice', 'phone', { silent: true })
  await alice.request('PUT', 'rooms/r1', { mode: 'sfu' })
  await alice.post('rooms/r1/participants')
  const bob = new WhipClient(
    scenario.urlOf(scenario.lastNode),
    await scenario.addClient('bob', 'laptop', { silent: true })
  )
  const room = `/v1/rooms/${scenario.toPath('r1')}`
  const begin = async (via: 'whip' | 'whep', device: string) => {
    const { status, headers } = await bob.offer(`${room}/${via}`, via === 'whip' ? PUBLISH : VIEW, {
      'x-device-id': device
    })
    t.equal(status, 201)
    return headers.get('location') ?? ''
  }
  const sessions = [
    await begin('whip', 'camera'),
    await begin('whip', 'encoder'),
    await begin('whep', 'camera')
  ] as const
  const present = async () => {
    const { body } = await alice.request('GET', 'rooms/r1')
    const participants = body.participants as { user: string; participantId: string }[]
    const ids = participants.filter(({ user }) => user === 'bob').map(({ participantId }) => participantId)
    return sessions.map(session => ids.some(id => session.endsWith(`/${encodeURIComponent(id)}`)))
  }
  const media = () => service.sessionsOf(scenario.toWire('r1'))[0]?.participants.size
  const memberships = () => scenario.store.memberships.list(scenario.toWire('bob'))
  return { bob, sessions, present, media, memberships }
}

const signOut = async (scenario: Scenario, path: string) =>
  t.equal((await operate(scenario, ['POST', `${path}/sign-out`], { user: 'bob' })).status, 200)

flow(
  'the clients of a signed-out device leave the room with their media, those of other devices stay',
  async (t, scenario) => {
    const { bob, present, media, memberships, sessions } = await open(scenario)
    t.same(await present(), [true, true, true])
    t.equal((await memberships()).length, 3)
    await signOut(scenario, '/devices/camera')
    t.same(await present(), [false, true, false])
    await until('their media is closed', () => media() === 1)
    t.equal((await memberships()).length, 1)
    t.equal((await bob.end(sessions[1])).status, 200)
    t.same(await memberships(), [], 'a client that ends its session is in no index either')
  },
  { env }
)

flow(
  'all clients of a signed-out user leave the room, and no session can be used any more',
  async (t, scenario) => {
    const { bob, present, media, memberships, sessions } = await open(scenario)
    await signOut(scenario, '/all-devices')
    t.same(await present(), [false, false, false])
    await until('their media is closed', () => media() === 0)
    t.same(await memberships(), [])
    t.match(await bob.end(sessions[1]), { status: 401, code: 'token_revoked' })
  },
  { env }
)
