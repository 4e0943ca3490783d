// `npm run test:clients`: every program of examples/clients calls every one of them, itself included, over two nodes. CLIENTS=python,go are
// only these. Prints a table of the times in milliseconds.
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { startServers, tokenOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { build, isWritten, LANGUAGES, type Language, start } from './programs.js'

const named = process.env.CLIENTS?.split(',')
const languages = LANGUAGES.filter(({ name }) => named === undefined || named.includes(name))
const isOnPath = (command: string) => spawnSync('which', [command]).status === 0
/** By caller, then callee. */
const times = new Map<string, number>()

t.test('each is generated and compiled', async t => {
  for (const language of languages) {
    const missing = language.needs.filter(command => !isOnPath(command))
    t.same(missing, [], `${language.name}: the commands that it needs are on the PATH`)
    t.ok(isWritten(language), `examples/clients/${language.name} is there`)
    if (missing.length === 0) await t.resolves(build(t, language), language.name)
  }
})

t.test('each calls each', async t => {
  const [first, second] = await startServers(t, { engine: 'redis', nodes: 2 })
  if (!first || !second) throw new Error('two nodes were started')
  for (const caller of languages) {
    for (const callee of languages) {
      await t.test(`${caller.name} calls ${callee.name}`, async t => {
        const media = caller.media === 'data' && callee.media === 'data' ? 'data' : 'none'
        // Users of their own: a call that failed does not make the next one busy.
        const [alice, bob] = [`alice-${caller.name}-${callee.name}`, `bob-${caller.name}-${callee.name}`]
        const answering = start(t, callee, { url: second.url, token: await tokenOf(bob), media, args: ['answer'] })
        await answering.waitForOutput(/^ready$/m)
        const begunAt = performance.now()
        const calling = start(t, caller, { url: first.url, token: await tokenOf(alice), media, args: ['call', bob] })
        // If the one who answers fails, the caller would wait until its call expires.
        const failedAt = await Promise.race([calling.waitForExit(), answering.waitForFailure()])
        t.equal(failedAt, 0, failedAt === 0 ? 'the call succeeds' : calling.stderr() + answering.stderr())
        if (failedAt !== 0) return
        times.set(`${caller.name} ${callee.name}`, Math.round(performance.now() - begunAt))
        t.match(calling.stdout(), media === 'data' ? /accepted\necho: hello\nended: hangup/ : /accepted\nended: hangup/)
        t.equal(await answering.waitForExit(), 0)
        t.equal(answering.stderr() + calling.stderr(), '')
        t.match(answering.stdout(), new RegExp(`ready\nincoming from ${alice}\nended: hangup`))
      })
    }
  }
  for (const line of table(languages)) t.comment(line)
})

t.test('a program that starts while its call rings answers it', async t => {
  const [server] = await startServers(t, { engine: 'redis', nodes: 1 })
  if (!server) throw new Error('a node was started')
  for (const language of languages) {
    await t.test(language.name, async t => {
      const { media } = language
      const { url } = server
      const [alice, bob] = [`alice-${language.name}`, `bob-${language.name}`]
      const token = await tokenOf(bob)
      const get = (path: string) => fetch(`${url}/v1/${path}`, { headers: { authorization: `Bearer ${token}` } })
      // The device is known before the call, as one whose program is started again.
      await get('snapshot')
      const calling = start(t, language, { url, token: await tokenOf(alice), media, args: ['call', bob] })
      const rings = async () =>
        ((await (await get('events/poll?cursor=start')).json()) as { events: unknown[] }).events.length > 0
      await until('the call rings', rings)
      const answering = start(t, language, { url, token, media, args: ['answer'] })
      const code = await Promise.race([calling.waitForExit(), answering.waitForFailure()])
      t.equal(code, 0, code === 0 ? 'the call succeeds' : calling.stderr() + answering.stderr())
      if (code === 0) t.equal(await answering.waitForExit(), 0)
    })
  }
})

function* table(languages: readonly Language[]): Generator<string> {
  const names = languages.map(({ name }) => name)
  yield `| caller \\ callee | ${names.join(' | ')} |`
  yield `| --- | ${names.map(() => '---:').join(' | ')} |`
  for (const caller of names) {
    yield `| ${caller} | ${names.map(callee => times.get(`${caller} ${callee}`) ?? 'failed').join(' | ')} |`
  }
}
