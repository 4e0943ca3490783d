// All delivery tests, for one engine.
import type { Test } from 'tap'
import type { Engine } from '../engines.js'
import { acknowledgingTests } from './acknowledging.js'
import { bodyLimitTests } from './body-limit.js'
import { endingTests } from './ending.js'
import { framingTests } from './framing.js'
import { liveTests } from './live.js'
import { pollingTests } from './polling.js'
import { resumeTests } from './resume.js'
import { revocationTests } from './revocation.js'
import { ticketTests } from './tickets.js'

export function testDelivery(t: Test, engine: Engine): void {
  for (const define of [
    resumeTests,
    liveTests,
    acknowledgingTests,
    bodyLimitTests,
    endingTests,
    framingTests,
    pollingTests,
    revocationTests,
    ticketTests
  ])
    define(t, engine)
}
