import t from 'tap'
import { memory } from './engines.js'
import { tellAll } from './stories/all.js'

tellAll(t, memory)
