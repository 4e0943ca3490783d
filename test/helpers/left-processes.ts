// As a test file that is ended while its child processes run: a Redis server, a node, and a server that a shell has started. It prints the ports
// on which they listen.
import t from 'tap'
import { run } from './child-process.js'
import { Fleet } from './fleet.js'
import { startRedis } from './redis.js'

const SERVER =
  'require("net").createServer().listen(0, "127.0.0.1", function () { console.log("port", this.address().port) })'

t.setTimeout(0)
const redis = await startRedis()
const fleet = await Fleet.launch(1, redis)
const shell = run(t, 'sh', ['-c', '"$0" -e "$1" & wait', process.execPath, SERVER])
const [, port] = /port (\d+)/.exec(await shell.waitForOutput(/port \d+/)) ?? []
console.log(`# ports ${redis.port} ${new URL(fleet.urlOf(0)).port} ${port}`)
await t.test('never ends', () => new Promise(() => setInterval(() => {}, 1000)))
