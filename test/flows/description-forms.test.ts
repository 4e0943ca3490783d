// Descriptions in the forms that platforms make, in calls and in rooms: what the other side receives, and what is refused.
import { places, postSdp } from '../helpers/negotiators.js'
import { flow } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'

flow('an RTCSessionDescription is accepted where its type is right', async (t, scenario) => {
  for (const { offerer, answerer, path, toAnswerer, toOfferer } of await places(scenario)) {
    const [offered, answered] = [sdp(`${offerer.user}A`), sdp(`${answerer.user}A`)]
    for (const type of ['answer', 'pranswer', 'rollback'])
      t.match(
        await offerer.expectRefusal('invalid_request', `${path}/offer`, { ...toAnswerer, type, sdp: offered }),
        { issues: [{ path: 'body/type' }] },
        `${path}: ${type}`
      )
    t.match(await offerer.post(`${path}/offer`, { ...toAnswerer, type: 'offer', sdp: offered }), { revision: 1 })
    t.match(await answerer.expectEvent('signal.offer'), { sdp: offered })
    await answerer.expectRefusal('invalid_request', `${path}/answer`, { ...toOfferer, type: 'offer', sdp: answered })
    await answerer.post(`${path}/answer`, { ...toOfferer, type: 'answer', sdp: answered })
    t.match(await offerer.expectEvent('signal.answer'), { sdp: answered })
  }
})

flow('a create takes an RTCSessionDescription', async (t, scenario) => {
  const [alice, bob] = await scenario.addAliceAndBob()
  const offer = { type: 'offer', sdp: sdp('aliceA'), toJSON: {} }
  await alice.expectRefusal('invalid_request', 'calls', {
    callId: 'c1',
    to: 'bob',
    offer: { ...offer, type: 'answer' }
  })
  await alice.post('calls', { callId: 'c1', to: 'bob', offer })
  t.match(await bob.expectEvent('call.incoming'), { offer: { revision: 1, sdp: offer.sdp } })
})

flow('a description is sent as application/sdp, with its other members in the query', async (t, scenario) => {
  for (const { offerer, answerer, path, toAnswerer, toOfferer } of await places(scenario)) {
    const [offered, answered] = [sdp(`${offerer.user}A`), sdp(`${answerer.user}A`)]
    const query = (members: object) => new URLSearchParams({ ...members, _: '1' })
    const offer = { path: `${path}/offer?${query(toAnswerer)}`, text: `${offered}\r\n` }
    t.match(await postSdp(scenario, offerer, offer), { status: 202, body: { revision: 1 } })
    t.match(await answerer.expectEvent('signal.offer'), { sdp: offered })
    const stale = { path: `${path}/answer?${query({ ...toOfferer, revision: '2' })}`, text: answered }
    t.match(await postSdp(scenario, answerer, stale), { status: 409, body: { code: 'stale_revision' } })
    const unreadable = { path: `${path}/answer?${query({ ...toOfferer, revision: 'x' })}`, text: answered }
    t.match(await postSdp(scenario, answerer, unreadable), {
      status: 400,
      body: { issues: [{ path: 'querystring/revision' }] }
    })
    const answer = { path: `${path}/answer?${query({ ...toOfferer, revision: '1' })}`, text: answered }
    t.match(await postSdp(scenario, answerer, answer), { status: 202, body: { revision: 1 } })
    t.match(await offerer.expectEvent('signal.answer'), { sdp: answered })
    const elsewhere = await postSdp(scenario, offerer, { path: `${path}/candidates`, text: offered })
    t.match(elsewhere, { status: 415, body: { code: 'unsupported_media_type' } })
  }
})

flow('an SDP body is UTF-8, and a byte order mark before it is ignored', async (t, scenario) => {
  for (const { offerer, answerer, path, toAnswerer } of await places(scenario)) {
    const offer = `${path}/offer?${new URLSearchParams(toAnswerer)}`
    const text = sdp('A').replace('s=-', 's=Türklingel')
    const latin1 = { path: offer, text: Buffer.from(text, 'latin1') }
    t.match(await postSdp(scenario, offerer, latin1), {
      status: 400,
      body: { code: 'invalid_sdp', detail: /^Line 3: .*UTF-8/ }
    })
    t.match(await postSdp(scenario, offerer, { path: offer, text: `\ufeff${text}` }), { status: 202 })
    t.match(await answerer.expectEvent('signal.offer'), { sdp: text })
  }
})

flow('a revision in the query is read as the schema reads it', async (t, scenario) => {
  for (const { offerer, answerer, path, toAnswerer, toOfferer } of await places(scenario)) {
    await offerer.post(`${path}/offer`, { ...toAnswerer, sdp: sdp('A') })
    await answerer.expectEvent('signal.offer')
    const answer = (revision: string) =>
      postSdp(scenario, answerer, {
        path: `${path}/answer?${new URLSearchParams({ ...toOfferer, revision })}`,
        text: sdp('B')
      })
    for (const revision of ['', '0', '-1', '1.5', 'x', '1000001'])
      t.match(await answer(revision), { status: 400, body: { issues: [{ path: 'querystring/revision' }] } }, revision)
    for (const revision of ['2', '02', '2.0'])
      t.match(await answer(revision), { status: 409, body: { code: 'stale_revision' } }, revision)
    t.match(await answer('1.0'), { status: 202, body: { revision: 1 } })
    await offerer.expectEvent('signal.answer')
  }
})

flow('an answer to an offer that has superseded another one names its revision', async (t, scenario) => {
  for (const { offerer, answerer, path, toAnswerer, toOfferer } of await places(scenario)) {
    for (const round of [1, 2]) {
      await offerer.post(`${path}/offer`, { ...toAnswerer, sdp: sdp(`${offerer.user}${round}`) })
      await answerer.expectEvent('signal.offer')
    }
    const answer = { ...toOfferer, sdp: sdp(`${answerer.user}A`) }
    t.match(await answerer.expectRefusal('revision_required', `${path}/answer`, answer), { status: 409, revision: 2 })
    t.match(await answerer.expectRefusal('stale_revision', `${path}/answer`, { ...answer, revision: 1 }), {
      revision: 2
    })
    await answerer.post(`${path}/answer`, { ...answer, revision: 2 })
    t.match(await offerer.expectEvent('signal.answer'), { revision: 2 })
  }
})

flow('a re-offer whose media sections are all rejected is accepted', async (t, scenario) => {
  for (const { offerer, answerer, path, toAnswerer, toOfferer } of await places(scenario)) {
    await offerer.post(`${path}/offer`, { ...toAnswerer, sdp: sdp('A') })
    await answerer.post(`${path}/answer`, { ...toOfferer, sdp: sdp('B') })
    await answerer.expectEvent('signal.offer')
    await offerer.expectEvent('signal.answer')
    const rejected = sdp('A')
      .replace(/m=application 9/, 'm=audio 0')
      .replace(/a=ice-.*\r\n/g, '')
    t.match(await offerer.post(`${path}/offer`, { ...toAnswerer, sdp: rejected }), { revision: 2 })
    t.match(await answerer.expectEvent('signal.offer'), { sdp: rejected })
  }
})

const padded = (bytes: number) => `${sdp('F7gI')}a=x:`.padEnd(bytes - 2, 'y').concat('\r\n')

flow(
  'a description larger than MAX_SDP_BYTES has one code, which names the limit',
  async (t, scenario) => {
    for (const { offerer, answerer, path, toAnswerer } of await places(scenario)) {
      const rows: readonly (readonly [bytes: number, detail: RegExp])[] = [
        [100_001, /larger than 100000 bytes/],
        [390_000, /larger than 100000 bytes/],
        [500_000, /larger than 400000 bytes/]
      ]
      for (const [bytes, detail] of rows) {
        const refusal = { status: 413, code: 'too_large', detail }
        const body = { ...toAnswerer, sdp: padded(bytes) }
        t.match(await offerer.expectRefusal('too_large', `${path}/offer`, body), refusal, `${path}: ${bytes}`)
        const raw = { path: `${path}/offer?${new URLSearchParams(toAnswerer)}`, text: padded(bytes) }
        t.match(await postSdp(scenario, offerer, raw), { status: 413, body: refusal }, `${path}: ${bytes}, raw`)
      }
      await offerer.post(`${path}/offer`, { ...toAnswerer, sdp: padded(100_000) })
      t.equal(String((await answerer.expectEvent('signal.offer')).sdp).length, 100_000)
    }
  },
  { env: { MAX_SDP_BYTES: '100000' } }
)
