// The page at /docs in a real browser: requests can be tried with a development token.
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { launchChromium } from './chromium.js'

t.test('a request tried on /docs with a development token is answered', async t => {
  const config = loadConfig({ LOG_LEVEL: 'silent' })
  const app = await buildApp(config)
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const page = await (await launchChromium(t)).newPage()
  const refused: string[] = []
  page.on('console', message => message.type() === 'error' && refused.push(message.text()))
  await page.goto(`${url}/docs/`)
  t.equal(await page.title(), 'Signalpost API')
  await page.getByRole('heading', { name: 'A call in order' }).waitFor()

  await page.getByRole('button', { name: 'Authorize' }).click()
  const bearer = page.locator('.auth-container', { hasText: 'bearer' }).first()
  await bearer.locator('input').fill(await createToken(config, { user: 'alice', device: 'phone' }))
  await bearer.getByRole('button', { name: 'Apply credentials' }).click()
  await page.locator('.modal-ux .close-modal').click()

  const operation = page.locator('#operations-calls-createCall')
  await operation.locator('.opblock-summary').click()
  t.match(await operation.innerText(), /callee_unreachable: No device of the callee can be reached/)
  await operation.getByRole('button', { name: 'Execute' }).click()
  const reply = operation.locator('.live-responses-table .response')
  await reply.waitFor()
  t.match(
    await reply.innerText(),
    /409[\s\S]*callee_unreachable/,
    'the example request, as alice; the callee has no device'
  )

  const reading = page.locator('#operations-calls-listCalls')
  await reading.locator('.opblock-summary').click()
  await reading.getByRole('button', { name: 'Execute' }).click()
  const calls = reading.locator('.live-responses-table .response')
  await calls.waitFor()
  t.match(await calls.innerText(), /200[\s\S]*"calls": \[\]/)
  t.strictSame(
    refused.filter(text => !text.includes('409')),
    [],
    'the content security policy refuses nothing'
  )
})
