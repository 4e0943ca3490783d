// A device in C with a key of its own.
import t from 'tap'
import { run } from '../helpers/child-process.js'
import { testDevice } from '../helpers/device-flows.js'
import { make } from './device.js'

testDevice(t, {
  command: (kept, url, action, argument = '') => {
    const { hostname, port } = new URL(url)
    return [make('build/camera'), kept, hostname, port, action, argument]
  },
  accept: {}
})

t.test('what is typed in place of a code is refused without a request', async t => {
  for (const typed of ['none', '0'.repeat(29), 'U'.repeat(28)]) {
    const camera = run(t, make('build/camera'), [`${t.testdir()}/camera`, '127.0.0.1', '1', 'enroll', typed])
    t.equal(await camera.waitForExit(), 1)
    t.equal(camera.stderr(), 'refused: 0 invalid_code\n')
  }
})
