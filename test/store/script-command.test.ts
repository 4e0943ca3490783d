import { Redis } from 'ioredis'
import t from 'tap'
import { ScriptCommand } from '../../src/store/redis/script-command.js'
import { startRedis } from '../helpers/redis.js'

const server = await startRedis()
const client = new Redis(server.url)
t.teardown(async () => {
  client.disconnect()
  await server.stop()
})

const ECHO = `local echo = {}
for _, key in ipairs(KEYS) do echo[#echo + 1] = key end
for _, argument in ipairs(ARGV) do echo[#echo + 1] = argument end
return echo`

t.test('a script gets its keys and arguments unchanged', async t => {
  const keys = ['key', '{ключ}:1']
  const args = [
    '',
    'a\r\nb',
    'é',
    '€'.repeat(21),
    '😀'.repeat(40),
    'x'.repeat(63),
    'x'.repeat(64),
    'x'.repeat(70_000),
    '\0',
    0,
    -1.5
  ]
  const echo = await client.sendCommand(new ScriptCommand('eval', ECHO, { keys, args }))
  t.strictSame(echo, [...keys, ...args.map(String)])
})
