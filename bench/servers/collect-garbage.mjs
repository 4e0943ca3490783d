// Preloaded into every server under test: SIGWINCH, which no server minds, collects garbage, so that resident memory
// can be compared. The inspector's command does on every Node what V8 does by itself once a process has long been idle: it collects
// all there is and gives free pages back. (gc() with options is a scavenge in Node 20: it takes young objects only.)
import { Session } from 'node:inspector'

// Kept open: a session that closes while it collects hangs the process. Not opened before the first signal: other figures are of CPU.
let session

process.on('SIGWINCH', () => {
  if (!session) {
    session = new Session()
    session.connect()
  }
  session.post('HeapProfiler.collectGarbage')
})
