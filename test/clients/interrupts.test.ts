// A program of examples/clients that is interrupted (Ctrl-C) hangs up, so the other side does not wait for a timeout. And none has grown too long.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Program } from '../helpers/child-process.js'
import { Client, type ClientEvent } from '../helpers/client.js'
import { type Server, startServers, tokenOf } from '../helpers/servers.js'
import { build, LANGUAGES, type Language, start } from './programs.js'

const CODE_LINES_MAX = 150
const SOURCES = {
  python: 'client.py',
  go: 'client.go',
  java: 'Client.java',
  c: 'client.c',
  rust: 'src/main.rs',
  typescript: 'client.ts'
}

const named = process.env.CLIENTS?.split(',')
const languages = LANGUAGES.filter(({ name }) => named === undefined || named.includes(name))
const OFFER = `${[
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:F7gI',
  'a=ice-pwd:x9cml/YzichV2+XlhiMu8g',
  `a=fingerprint:sha-256 ${Array(32).fill('D1').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sctp-port:5000'
].join('\r\n')}\r\n`

t.test(`none has more than ${CODE_LINES_MAX} lines of code`, async t => {
  for (const [name, file] of Object.entries(SOURCES)) {
    const text = readFileSync(join(process.cwd(), 'examples/clients', name, file), 'utf8')
    const withoutDocstrings = name === 'python' ? text.replace(/"""[\s\S]*?"""/g, '') : text
    const code = withoutDocstrings
      .split('\n')
      .filter(line => line.trim() !== '' && !/^\s*(\/\/|\/?\*|#(?!include|define))/.test(line)).length
    t.ok(code <= CODE_LINES_MAX, `${name}: ${code}`)
  }
})

/** The other side, which receives events and does nothing by itself. */
async function other(t: Test, server: Server, user: string) {
  const client = new Client(server.url, { token: await tokenOf(user), device: 'phone' })
  t.teardown(() => client.close())
  const events = client.events('sse')
  await events.next()
  const next = async (type: string): Promise<ClientEvent['data']> => {
    for (;;) {
      const { value } = await events.next()
      if (value.type === type) return value.data
    }
  }
  return { client, next }
}

async function failureOf(program: Program): Promise<never> {
  await program.waitForFailure()
  throw new Error(program.stderr())
}

async function interruptCaller(t: Test, language: Language, server: Server) {
  const callee = await other(t, server, `callee-of-${language.name}`)
  const options = { url: server.url, token: await tokenOf(`caller-in-${language.name}`), media: 'none' as const }
  const program = start(t, language, { ...options, args: ['call', `callee-of-${language.name}`] })
  await Promise.race([callee.next('call.incoming'), failureOf(program)])
  program.signal('SIGINT')
  t.equal((await callee.next('call.ended')).reason, 'cancelled')
  await program.waitForExit()
}

async function interruptCallee(t: Test, language: Language, server: Server) {
  const caller = await other(t, server, `caller-of-${language.name}`)
  const options = { url: server.url, token: await tokenOf(`callee-in-${language.name}`), media: 'none' as const }
  const program = start(t, language, { ...options, args: ['answer'] })
  await program.waitForOutput(/^ready$/m)
  await caller.client.post('/calls', { to: `callee-in-${language.name}`, offer: { sdp: OFFER } })
  await Promise.race([caller.next('call.accepted'), failureOf(program)])
  program.signal('SIGINT')
  t.equal((await caller.next('call.ended')).reason, 'hangup')
  await program.waitForExit()
}

t.test('a program that is interrupted hangs up', async t => {
  const [server] = await startServers(t, { engine: 'memory' })
  if (!server) throw new Error('a node was started')
  for (const language of languages) {
    await build(t, language)
    await t.test(`${language.name}, while its call rings`, t => interruptCaller(t, language, server))
    await t.test(`${language.name}, in a call that it has answered`, t => interruptCallee(t, language, server))
  }
})
