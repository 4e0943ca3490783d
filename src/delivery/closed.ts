// The body of a stream that ends before it began.
import type { EndReason } from '../ends.js'
import { endFrame } from './frames.js'

export function closedStream(reason: EndReason, retryMs: number, now: number): string {
  return endFrame(reason, retryMs, now)
}
