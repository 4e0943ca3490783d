// Preloaded into every server under test: SIGWINCH, which no server uses, collects garbage, so that resident memory can be
// compared. The command of the inspector does what V8 does by itself in a process that has long been idle: it collects everything
// and returns free pages. (gc() with options is a scavenge in Node 20, which collects young objects only.)
import { Session } from 'node:inspector'

// Kept open: a session that closes while it collects hangs the process. Opened at the first signal, so that figures of CPU do not contain it.
let session

process.on('SIGWINCH', () => {
  if (!session) {
    session = new Session()
    session.connect()
  }
  session.post('HeapProfiler.collectGarbage')
})
