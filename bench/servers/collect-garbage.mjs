// Preloaded into every server under test: SIGWINCH, which no server minds, collects garbage, so that resident memory
// can be compared.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

process.on('SIGWINCH', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
})
