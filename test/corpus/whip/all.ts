import { CHROMIUM_PUBLISHES, CHROMIUM_VIEWS } from './chromium.js'
import { ENCODERS_PUBLISH, LIBRARIES_VIEW } from './encoders.js'
import { FIREFOX_PUBLISHES, FIREFOX_VIEWS } from './firefox.js'
import { GSTREAMER_PUBLISHES, GSTREAMER_VIEWS } from './gstreamer.js'
import type { WhipOffer } from './offer.js'
import { SPECIFICATION_PUBLISHES, SPECIFICATION_VIEWS } from './specifications.js'

export const PUBLISHING_OFFERS: readonly WhipOffer[] = [
  ...CHROMIUM_PUBLISHES,
  ...FIREFOX_PUBLISHES,
  ...ENCODERS_PUBLISH,
  ...GSTREAMER_PUBLISHES,
  ...SPECIFICATION_PUBLISHES
]

export const VIEWING_OFFERS: readonly WhipOffer[] = [
  ...CHROMIUM_VIEWS,
  ...FIREFOX_VIEWS,
  ...LIBRARIES_VIEW,
  ...GSTREAMER_VIEWS,
  ...SPECIFICATION_VIEWS
]
