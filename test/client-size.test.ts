// The SDK stays small.
import t from 'tap'
import { CLIENT_BYTES_MAX, measureClient, START_BYTES_MAX, sizeReport } from '../scripts/client-size.js'

t.test('@signalpost/client fits its budget, minified and gzipped', async t => {
  const size = await measureClient()
  t.ok(size.all <= CLIENT_BYTES_MAX && size.start <= START_BYTES_MAX, sizeReport(size))
  t.ok(size.parts.has('core') && size.core < size.start && size.start < size.all)
})
