// The package of the SDK as applications install it: in Node, with a bundler, and with the compiler.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import t from 'tap'
import { installClient } from './helpers/built-client.js'

const TSC = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url))
const CLIENT = fileURLToPath(new URL('../packages/client', import.meta.url))
const { root, folder } = await installClient(t)
const execute = promisify(execFile)

t.test('Node imports its entries, which have the public members', async t => {
  const script = `
    import { Problem, Signalpost } from '@signalpost/client'
    import { SignalpostCore } from '@signalpost/client/core'
    import { reportStats } from '@signalpost/client/stats'
    const options = { url: 'http://127.0.0.1:1', token: () => 'none', retryForMs: 0 }
    const [client, core] = [new Signalpost(options), new SignalpostCore(options)]
    const problem = await client.request('GET', '/calls').catch(error => error)
    const members = ['on', 'once', 'off', 'connect', 'close', 'request', 'share', 'call', 'join']
    console.log(JSON.stringify({
      missing: members.filter(name => typeof client[name] !== 'function'),
      stats: typeof reportStats,
      states: [client.connection, core.connection, client.user, client.calls.size, client.rooms.size],
      problem: [problem instanceof Problem, problem.name, problem.code, problem.status, problem.retryable, problem.retryAfterMs]
    }))`
  writeFileSync(join(root, 'program.mjs'), script)
  const { stdout } = await execute(process.execPath, ['program.mjs'], { cwd: root })
  t.strictSame(JSON.parse(stdout), {
    missing: [],
    stats: 'function',
    states: ['closed', 'closed', null, 0, 0],
    problem: [true, 'Problem', 'network', 0, true, null]
  })
})

t.test(
  'a bundler with code splitting loads rooms, the part for mode sfu, and mediasoup-client, on first need',
  async t => {
    writeFileSync(
      join(root, 'app.js'),
      `import { Signalpost } from '@signalpost/client'
    export const client = new Signalpost({ url: '', token: () => '', mediasoup: () => import('mediasoup-client') })`
    )
    const { outputFiles, metafile } = await build({
      absWorkingDir: root,
      entryPoints: ['app.js'],
      outdir: 'out',
      bundle: true,
      minify: true,
      splitting: true,
      format: 'esm',
      external: ['mediasoup-client'],
      metafile: true,
      write: false
    })
    const [start, rooms, sfu, ...others] = outputFiles.map(({ text }) => text).sort((a, b) => b.length - a.length)
    t.match(start, /createOffer/)
    t.notMatch(start, /rtpCapabilities|participants/)
    t.match(rooms, /participants/)
    t.notMatch(rooms, /rtpCapabilities|createOffer/)
    t.match(sfu, /rtpCapabilities/)
    t.equal(others.filter(text => text.length > 500).length, 0)
    const dynamic = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.filter(({ kind }) => kind === 'dynamic-import')
    )
    t.equal(dynamic.length, 3)
  }
)

t.test('the core has nothing of WebRTC', async t => {
  const core = readFileSync(join(folder, 'dist/core.js'), 'utf8')
  t.notMatch(core, /RTCPeerConnection|MediaStream|import\(/)
})

for (const moduleResolution of ['bundler', 'nodenext']) {
  t.test(`the types are found with moduleResolution ${moduleResolution}`, async t => {
    await execute(TSC, ['-p', CLIENT, '--outDir', join(folder, 'dist')])
    const source = `
      import { type Call, type Problem, Signalpost } from '@signalpost/client'
      import { SignalpostCore } from '@signalpost/client/core'
      import { reportStats } from '@signalpost/client/stats'
      const client = new Signalpost({ url: '', token: async () => '' })
      client.on('incoming', (call: Call) => call.accept().then(() => reportStats(client, call)))
      client.request('POST', '/calls', { to: 'bob' }).then(({ call }) => call.callId, (error: Problem) => error.retryable)
      // @ts-expect-error: a call has a callee.
      client.request('POST', '/calls', {})
      new SignalpostCore({ url: '', token: () => '' }).on('call.message', ({ content }) => content.length)`
    writeFileSync(join(root, 'types.ts'), source)
    const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext'
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '']
    await execute(TSC, [...options, '--module', module, '--moduleResolution', moduleResolution, 'types.ts'], {
      cwd: root
    })
    t.pass('it compiles')
  })
}
