import t from 'tap'
import { createMemoryStore } from '../../src/store/memory.js'
import { ManualClock } from '../helpers/clock.js'
import { OPTIONS, runContract } from './contract.js'

const clock = new ManualClock()

runContract(t, 'memory', async clock => createMemoryStore({ ...OPTIONS, clock }), clock)

t.test('a closed store leaves no timer behind', async t => {
  t.equal(clock.waiting, 0)
})
