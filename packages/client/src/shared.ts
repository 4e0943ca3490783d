// What rooms have in common with calls. In the published package rooms.js imports it from index.js, which is loaded already (scripts/build-client.mjs).
export { Negotiator } from './negotiator.js'
export { listen } from './platform.js'
export { isGone } from './problem.js'
export { Receiver } from './receiver.js'
