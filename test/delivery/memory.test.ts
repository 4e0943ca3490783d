import t from 'tap'
import { testDelivery } from './cases/all.js'
import { memory } from './engines.js'

testDelivery(t, memory)
