// `npm run token -- alice [device]` prints only a token, which a server with the same environment accepts.
import { loadConfig } from '../src/config.js'
import { createToken } from '../src/development.js'

const [user, device] = process.argv.slice(2)
const config = loadConfig(process.env)
if (user === undefined || config.jwksUrl !== null) {
  console.error(
    user === undefined
      ? 'usage: npm run token -- <user> [device]'
      : 'With JWKS_URL only the identity provider makes tokens'
  )
  process.exit(1)
}
console.log(await createToken(config, { user, device }))
