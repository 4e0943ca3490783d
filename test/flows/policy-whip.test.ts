// The policy service is asked before an encoder publishes by WHIP or a player views by WHEP.
import t from 'tap'
import type { PolicyQuestion } from '../../src/schemas/policy.js'
import { PUBLISHING_OFFERS } from '../corpus/whip/all.js'
import { TestMediaService } from '../helpers/media-service.js'
import { PolicyService } from '../helpers/policy-service.js'
import { flow } from '../helpers/scenario.js'
import { WhipClient } from '../helpers/whip-client.js'

const SECRET = 'the-secret-of-the-media-service-32-bytes'
const media = await TestMediaService.start(SECRET)
const service = await PolicyService.start(({ action, caller }: PolicyQuestion) => {
  if (action !== 'join') return { allow: true }
  if (caller.user === 'mallory') return { allow: false, reason: 'Suspended' }
  return { allow: true, ...(caller.user === 'pupil' ? { role: 'listener' } : {}) }
})
t.teardown(() => Promise.all([service.close(), media.close()]))

const env = {
  MEDIA_SERVICE_URLS: media.url,
  MEDIA_SERVICE_SECRET: SECRET,
  POLICY_URL: service.url,
  POLICY_TIMEOUT_MS: '10000'
}
const OFFER = PUBLISHING_OFFERS[0]?.sdp ?? ''

flow(
  'it is asked before an encoder publishes, and gives it a role',
  async (t, scenario) => {
    media.signalpost = [scenario.urlOf(0), scenario.urlOf(scenario.lastNode)]
    const alice = await scenario.addClient('alice', 'phone', { silent: true })
    await alice.request('PUT', 'rooms/r1', { mode: 'sfu' })
    await alice.post('rooms/r1/participants')
    const path = `/v1/rooms/${scenario.toPath('r1')}/whip`
    const publish = async (user: string) => {
      const client = await scenario.addClient(user, 'encoder', { silent: true })
      return new WhipClient(scenario.urlOf(scenario.lastNode), client).offer(path, OFFER)
    }
    t.equal((await publish('bob')).status, 201)
    const asked = scenario.fromWire(service.received).filter(({ caller }) => caller.user === 'bob')
    t.match(asked, [
      { action: 'join', roomId: 'r1', role: 'speaker', via: 'whip', caller: { device: /^whip-/ }, metadata: {} }
    ])
    t.equal(asked.length, 1)
    t.match(await publish('mallory'), { status: 403, code: 'policy_denied' })
    t.match(await publish('pupil'), { status: 403, code: 'not_permitted' }, 'a listener does not publish')
    const { participants } = (await alice.request('GET', 'rooms/r1')).body as { participants: { user: string }[] }
    t.same(participants.map(({ user }) => user).sort(), ['alice', 'bob'])
  },
  { env }
)
