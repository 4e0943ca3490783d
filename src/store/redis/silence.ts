// Closes a connection that is open but silent: commands wait on it, and nothing has been received for two seconds.
//
// ioredis has one timer for this (socketTimeout). After a stall of this process that timer fires before the replies in the socket are
// read, perhaps before the commands are sent, and closes a healthy connection. Periodic checks count a stall of any length as one miss.
import type { Redis } from 'ioredis'

export const SILENCE_MS = 2_000
const CHECKS = 8

/** Stays in force when the connection is opened again. */
export function watchSilence(redis: Redis): Redis {
  let timer: NodeJS.Timeout | undefined
  const stop = () => clearInterval(timer)
  const start = () => {
    stop()
    timer = setInterval(createCheck(redis), SILENCE_MS / CHECKS).unref()
  }
  return redis.on('connect', start).on('close', stop)
}

function createCheck(redis: Redis): () => void {
  const { stream } = redis
  let read = stream.bytesRead
  let misses = 0
  return () => {
    const isSilent = redis.commandQueue.length > 0 && stream.bytesRead === read
    read = stream.bytesRead
    misses = isSilent ? misses + 1 : 0
    // More than CHECKS misses, because at the first one the command may have been sent just before.
    if (misses > CHECKS) stream.destroy(new Error(`nothing received for ${SILENCE_MS} ms`))
  }
}
