// The media service of the tests fulfils openapi/media-service.yaml as the one of the examples does (test/sfu/contract.test.ts), so that what is
// tested with one holds for the other.
import t from 'tap'
import { MEDIA_EVENT_TYPES, MEDIA_NOTICE_TYPES } from '../../src/schemas/media-service.js'
import { typesIn } from '../helpers/media-contract.js'
import { testMediaRequests } from '../helpers/media-contract-cases.js'
import { testMediaPushes } from '../helpers/media-contract-pushes.js'
import { startMediaReceiver } from '../helpers/media-receiver.js'
import { TestMediaService } from '../helpers/media-service.js'

const SECRET = 'a secret of the media service and of Signalpost'

t.test('Signalpost knows the events and notices of the contract, and no others', t => {
  t.strictSame(typesIn('MediaEvent'), [...MEDIA_EVENT_TYPES].sort())
  t.strictSame(typesIn('MediaNotice'), [...MEDIA_NOTICE_TYPES].sort())
  t.end()
})

t.test('requests', async t => {
  const service = await TestMediaService.start(SECRET)
  t.teardown(() => service.close())
  await testMediaRequests(t, { url: service.url, secret: SECRET, hasMedia: false })
})

t.test('pushes', async t => {
  const receiver = await startMediaReceiver(t)
  const service = await TestMediaService.start(SECRET)
  t.teardown(() => service.close())
  service.signalpost = [receiver.url]
  const under = {
    url: service.url,
    secret: SECRET,
    hasMedia: false,
    loseSession: (sessionId: string) => service.loseSession(sessionId),
    loseContact: ({ sessionId }: { sessionId: string }, { participantId, transportId, producerId }: Lost) =>
      void service.push(service.sessions.get(sessionId), [
        { type: 'producer_closed', participantId, producerId },
        { type: 'transport_closed', participantId, transportId, reason: 'ice_failed' }
      ])
  }
  await testMediaPushes(t, under, receiver)
})

interface Lost {
  readonly participantId: string
  readonly transportId: string
  readonly producerId: string
}
