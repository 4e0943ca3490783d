// A Node program that uses the SDK ends when it has closed its client.
import { join } from 'node:path'
import t from 'tap'
import { installClient } from '../helpers/built-client.js'
import { run } from '../helpers/child-process.js'
import { startProxiedNode, tokenOf } from './fixture.js'

const { folder } = await installClient(t)
const CORE = join(folder, 'dist/core.js')

for (const transport of ['sse', 'poll']) {
  t.test(`the program ends after close, with ${transport}`, async t => {
    const { proxy } = await startProxiedNode(t)
    const script = `
      const { SignalpostCore } = await import(${JSON.stringify(CORE)})
      const [url, token, transport] = process.argv.slice(1)
      const client = new SignalpostCore({ url, token: () => token, transport })
      await client.connect()
      console.log(client.connection)
      await client.close({ signOff: true })
      console.log(client.connection)`
    const args = ['--input-type=module', '--eval', script, proxy.url, await tokenOf('bob'), transport]
    const program = run(t, process.execPath, args)
    t.equal(await program.waitForExit(), 0)
    t.match(program.stdout(), /^(live|polling)\nclosed\n$/)
  })
}
