// Two who use the stacks of the corpus, in a call and in a room: each description arrives byte for byte, as JSON and as application/sdp, and each
// candidate in canonical form.
import { readCandidates } from '../../src/domain/negotiation/candidate.js'
import { STACKS } from '../corpus/all.js'
import { places, postSdp } from '../helpers/negotiators.js'
import { flow } from '../helpers/scenario.js'

flow('descriptions and candidates of every stack arrive', async (t, scenario) => {
  for (const { offerer, answerer, path, toAnswerer } of await places(scenario)) {
    for (const { name: stack, descriptions, candidates } of STACKS) {
      for (const [i, { name, sdp }] of descriptions.entries()) {
        const raw = { path: `${path}/offer?${new URLSearchParams(toAnswerer)}`, text: sdp }
        if (i % 2 === 0) await offerer.post(`${path}/offer`, { ...toAnswerer, type: 'offer', sdp })
        else t.equal((await postSdp(scenario, offerer, raw)).status, 202)
        t.equal((await answerer.expectEvent('signal.offer')).sdp, sdp, `${path} ${stack}: ${name}`)
      }
      const own = candidates.map(each =>
        each !== null && typeof each === 'object' ? { ...each, usernameFragment: null } : each
      )
      const { candidates: canonical, end } = readCandidates({ candidates: own })
      // The last description of a stack has the ufrag that its candidates name.
      const sent = await offerer.post(`${path}/candidates`, { ...toAnswerer, candidates: own })
      t.match(sent, { accepted: canonical.length, rejected: { length: 0 } }, `${path} ${stack}`)
      t.match(await answerer.expectEvent('signal.candidates'), { candidates: canonical, end }, `${path} ${stack}`)
    }
  }
})
