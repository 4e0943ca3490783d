import t from 'tap'
import { loadConfig } from '../src/config.js'
import { parseRedisUrl, type RedisAddress } from '../src/redis-url.js'

const plain = { topology: 'single', tls: false, db: 0, name: '' } as const
const good: Record<string, RedisAddress> = {
  'redis://localhost': { ...plain, hosts: [{ host: 'localhost', port: 6379 }] },
  'redis://h:1/': { ...plain, hosts: [{ host: 'h', port: 1 }] },
  'redis://[::1]:7000/3': { ...plain, hosts: [{ host: '::1', port: 7000 }], db: 3 },
  'rediss://me:p%40ss%3A@h:1': {
    ...plain,
    tls: true,
    hosts: [{ host: 'h', port: 1 }],
    username: 'me',
    password: 'p@ss:'
  },
  'redis://:secret@h:1': { ...plain, hosts: [{ host: 'h', port: 1 }], password: 'secret' },
  'redis-sentinel://a:1,b/main/2': {
    ...plain,
    topology: 'sentinel',
    hosts: [
      { host: 'a', port: 1 },
      { host: 'b', port: 26379 }
    ],
    name: 'main',
    db: 2
  },
  'rediss-cluster://u:p@a:1,b:2': {
    ...plain,
    topology: 'cluster',
    tls: true,
    hosts: [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 }
    ],
    username: 'u',
    password: 'p'
  }
}

for (const [url, address] of Object.entries(good)) {
  t.test(`${url} is parsed`, async t => {
    t.strictSame(parseRedisUrl(url), address)
    t.equal(loadConfig({ REDIS_URL: url }).redisUrl, url)
  })
}

const bad = [
  '',
  'http://h',
  'redis:h',
  'redis://',
  'redis://a,b',
  'redis://h:99999',
  'redis://h:x',
  'redis://h/x',
  'redis://h/1/2',
  'redis://u:%zz@h',
  'redis-sentinel://a:1',
  'redis-cluster://a:1/1',
  'redis-cluster://a:1,,b'
]
for (const url of bad) {
  t.test(`${JSON.stringify(url)} is refused, and the message does not repeat it`, async t => {
    t.throws(() => parseRedisUrl(url), { message: /^must be like redis:/ })
    if (url !== '') t.throws(() => loadConfig({ REDIS_URL: url }), { message: /REDIS_URL must be like redis:/ })
  })
}
