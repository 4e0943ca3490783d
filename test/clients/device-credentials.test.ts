// The device in Python with a key of its own.
import { join } from 'node:path'
import t from 'tap'
import { testDevice } from '../helpers/device-flows.js'
import { build } from './programs.js'

const FOLDER = join(process.cwd(), 'examples/clients/python')
const PYTHON = join(process.env.WORK ?? join(FOLDER, '.build'), 'python/bin/python')

t.before(() => build(t, { name: 'python', needs: ['python3'], media: 'data' }))

const ANSWER = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:F7gI',
  'a=ice-pwd:x9cml/YzichV2+XlhiMu8g',
  `a=fingerprint:sha-256 ${Array(32).fill('D1').join(':')}`,
  'a=setup:active',
  'a=mid:0',
  'a=sctp-port:5000',
  ''
]

testDevice(t, {
  command: (kept, url, action, argument = '') => {
    const program = ['answer', 'call'].includes(action) ? 'client.py' : 'device.py'
    const variables = [`SIGNALPOST_URL=${url}`, `SIGNALPOST_DEVICE_FILE=${kept}`]
    return ['env', ...variables, PYTHON, '-u', program, action, ...(argument === '' ? [] : [argument])]
  },
  options: { cwd: FOLDER, env: { MEDIA: 'none', PYTHONPATH: 'generated' } },
  accept: { answer: { sdp: ANSWER.join('\r\n') } }
})
