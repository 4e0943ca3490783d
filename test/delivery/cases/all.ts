// Every story of delivery, for one engine.
import type { Test } from 'tap'
import type { Engine } from '../engines.js'
import { acknowledgingStories } from './acknowledging.js'
import { endingStories } from './ending.js'
import { liveStories } from './live.js'
import { pollingStories } from './polling.js'
import { resumeStories } from './resume.js'
import { ticketStories } from './tickets.js'

export function tellAll(t: Test, engine: Engine): void {
  for (const stories of [
    resumeStories,
    liveStories,
    acknowledgingStories,
    endingStories,
    pollingStories,
    ticketStories
  ])
    stories(t, engine)
}
