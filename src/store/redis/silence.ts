// Finds a connection that is open and silent: commands wait on it, and nothing has come back for two seconds.
//
// ioredis knows that too (socketTimeout), by a single timer. When this process has stood still, that timer fires before the
// answers that lie in the socket are read, perhaps before the commands have left, and a healthy connection is cut. A look that
// is due again and again costs a stall of any length but one miss.
import type { Redis } from 'ioredis'

export const SILENCE_MS = 2_000
const LOOKS = 8

/** Cuts the connection when it is silent, however often it is connected anew. */
export function watchSilence(redis: Redis): Redis {
  let timer: NodeJS.Timeout | undefined
  const stop = () => clearInterval(timer)
  const start = () => {
    stop()
    timer = setInterval(createLook(redis), SILENCE_MS / LOOKS).unref()
  }
  return redis.on('connect', start).on('close', stop)
}

function createLook(redis: Redis): () => void {
  const { stream } = redis
  let read = stream.bytesRead
  let misses = 0
  return () => {
    const isSilent = redis.commandQueue.length > 0 && stream.bytesRead === read
    read = stream.bytesRead
    misses = isSilent ? misses + 1 : 0
    // The first miss may be about a command that has only just been sent.
    if (misses > LOOKS) stream.destroy(new Error(`nothing came for ${SILENCE_MS} ms`))
  }
}
