// The corpus: descriptions and candidates in the shape of the stacks that are in use.
import { AIORTC } from './aiortc.js'
import { ASTERISK } from './asterisk.js'
import { CHROMIUM } from './chromium.js'
import { ESP } from './esp.js'
import { FIREFOX } from './firefox.js'
import { GSTREAMER } from './gstreamer.js'
import { JANUS } from './janus.js'
import { LIBDATACHANNEL } from './libdatachannel.js'
import { PION } from './pion.js'
import { SAFARI } from './safari.js'
import type { Stack } from './stack.js'
import { ZLMEDIAKIT } from './zlmediakit.js'

export const STACKS: readonly Stack[] = [
  CHROMIUM,
  FIREFOX,
  SAFARI,
  PION,
  AIORTC,
  LIBDATACHANNEL,
  GSTREAMER,
  JANUS,
  ASTERISK,
  ESP,
  ZLMEDIAKIT
]
