// A program that prints the state of its connection and its messages. Arguments: the address of the server, and a token.
import { SignalpostCore } from '../../packages/client/src/core.js'
import { TIMES } from './fixture.js'

const [url = '', token = ''] = process.argv.slice(2)
const client = new SignalpostCore({ url, token: () => token, device: 'sleeper', times: TIMES })
client.on('connection', state => console.log(state))
client.on('call.message', ({ content }) => console.log(`message ${content}`))
await client.connect()
