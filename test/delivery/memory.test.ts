import t from 'tap'
import { tellAll } from './cases/all.js'
import { memory } from './engines.js'

tellAll(t, memory)
