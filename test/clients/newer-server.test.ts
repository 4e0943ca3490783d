// A server that is newer than a client. Its events, reasons, problem codes and members stop no program of examples/clients.
import t, { type Test } from 'tap'
import { type Server, startServers, tokenOf } from '../helpers/servers.js'
import { proxyAsNewer } from './newer-server.js'
import { build, LANGUAGES, type Language, start } from './programs.js'

const named = process.env.CLIENTS?.split(',')
const languages = LANGUAGES.filter(({ name }) => named === undefined || named.includes(name))

async function callItself(t: Test, language: Language, server: Server) {
  const url = await proxyAsNewer(t, server.url)
  const [alice, bob] = [`alice-${language.name}`, `bob-${language.name}`]
  const { media } = language
  const answering = start(t, language, { url, token: await tokenOf(bob), media, args: ['answer'] })
  await answering.waitForOutput(/^ready$/m)
  const calling = start(t, language, { url, token: await tokenOf(alice), media, args: ['call', bob] })
  const code = await Promise.race([calling.waitForExit(), answering.waitForExit()])
  t.equal(await calling.waitForExit(), 0, `code ${code}: ${calling.stderr()}${answering.stderr()}`)
  t.match(calling.stdout(), /accepted\n/)
  await answering.waitForExit()
  // It passes on the reason. That of TypeScript counts every other one than `hangup` as a failure.
  t.match(answering.stdout() + answering.stderr(), /ended: newer/)
}

async function callNobody(t: Test, language: Language, server: Server) {
  const url = await proxyAsNewer(t, server.url)
  const token = await tokenOf(`caller-${language.name}`)
  const calling = start(t, language, { url, token, media: language.media, args: ['call', 'nobody'] })
  t.not(await calling.waitForExit(), 0)
  t.match(calling.stdout() + calling.stderr(), /newer|409|No device of the callee/)
}

t.test('with a newer server', async t => {
  const [server] = await startServers(t, { engine: 'memory' })
  if (!server) throw new Error('a node was started')
  for (const language of languages) {
    await build(t, language)
    await t.test(`${language.name} makes and answers a call`, t => callItself(t, language, server))
    await t.test(`${language.name} says why it is refused`, t => callNobody(t, language, server))
  }
})
