// A policy service in one file: a list of who may not call, forwarding, and who only listens. The contract is openapi/policy-service.yaml.
//
//   node examples/services/policy-service.mjs '{"denied": {"mallory": "Your account is suspended"}, "forward": {"bob": "carol"}}'
//   POLICY_URL=http://127.0.0.1:9200/decisions npm start
//
// Set the same POLICY_SECRET for both: the service refuses requests without it.
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const BODY_MAX = 64 * 1024

/**
 * `denied`: user → why they may do nothing. `forward`: user → the user who is rung instead. `listeners`: users who join rooms to listen.
 * `maxDurationMs`: of every call.
 */
export function decideByRules({ denied = {}, forward = {}, listeners = [], maxDurationMs } = {}) {
  return question => {
    const { action, caller, to } = question
    if (Object.hasOwn(denied, caller.user)) return { allow: false, reason: denied[caller.user] }
    switch (action) {
      case 'call': {
        // Signalpost asks about the next user too, so a chain of forwards is followed.
        const next = Object.hasOwn(forward, to) ? { to: forward[to] } : {}
        return { allow: true, ...next, ...(maxDurationMs === undefined ? {} : { maxDurationMs }) }
      }
      case 'join':
        return { allow: true, ...(listeners.includes(caller.user) ? { role: 'listener' } : {}) }
      case 'invitation':
      case 'room':
        return { allow: true }
      case 'presence':
        return { allow: true, holdsMs: 60_000 }
      default:
        // A later version of Signalpost may ask about more.
        return { allow: false }
    }
  }
}

/** `decide` turns a question into an answer. `secret`: what Signalpost must send as Bearer, if it is given. */
export function createPolicyService({ decide = decideByRules(), secret } = {}) {
  return createServer(async (request, reply) => {
    try {
      if (secret && request.headers.authorization !== `Bearer ${secret}`) return void send(reply, 401)
      if (request.method !== 'POST' || request.url !== '/decisions') return void send(reply, 404)
      send(reply, 200, await decide(JSON.parse(await textOf(request))))
    } catch (error) {
      send(reply, 500, { detail: String(error) })
    }
  })
}

async function textOf(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > BODY_MAX) throw new Error('The body is too large')
  }
  return text
}

function send(reply, status, body) {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const rules = JSON.parse(process.argv[2] ?? '{}')
  const { PORT = '9200', POLICY_SECRET: secret } = process.env
  const server = createPolicyService({ decide: decideByRules(rules), secret }).listen(Number(PORT), '127.0.0.1', () => {
    console.log(`The policy service listens on http://127.0.0.1:${server.address().port}/decisions`)
  })
}
