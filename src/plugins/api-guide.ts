// The texts of the OpenAPI document that belong to no single operation. Its sections and operations come in the order of TAGS.

export const TAGS = [
  { name: 'ice', description: 'STUN and TURN servers for `RTCPeerConnection`.' },
  {
    name: 'events',
    description:
      'Everything that happens to a user arrives as an event, in the mailbox of each of their devices. Receive it as a stream of Server-Sent ' +
      'Events or by long-poll; both share one cursor. The schema `Event` has all of them; `type` tells which one it is.'
  },
  { name: 'calls', description: 'Call one user: create, accept, decline, hang up.' },
  { name: 'signals', description: 'Offers, answers and ICE candidates of a call.' },
  { name: 'presence', description: 'Whether users are online, and notifications when that changes.' },
  {
    name: 'device credentials',
    description: 'How a device without an identity provider gets its tokens: by a key of its own. It needs no clock.'
  },
  { name: 'push', description: 'How a call wakes a device that is not online.' },
  { name: 'blocks', description: 'Users whose calls and invitations you do not receive.' },
  { name: 'rooms', description: 'Several participants: create, join, moderate, leave.' },
  { name: 'room signals', description: 'Offers, answers and ICE candidates between the participants of a room.' },
  { name: 'invitations', description: 'Invitations to a room, which ring like a call.' },
  { name: 'chat', description: 'Messages of a room, their history, and typing indicators.' },
  {
    name: 'media',
    description:
      'Media of a room in mode `sfu`, through a media service, in the vocabulary of mediasoup. The parameters are those of mediasoup-client.'
  },
  {
    name: 'whip',
    description:
      'Encoders publish into a room in mode `sfu` by WHIP (RFC 9725), and players view it by WHEP (draft-ietf-wish-whep). They need no other ' +
      'operation.'
  },
  { name: 'problems', description: 'Explanations of error codes.' },
  { name: 'operations', description: 'Health checks and metrics, for operators.' }
]

export const GUIDE = `Send with POST, receive with Server-Sent Events or long-poll.

## Authentication

Send a JWT as \`Authorization: Bearer …\`. Browsers may send it as the cookie \`access_token\` instead.

| Claim | Meaning |
|---|---|
| \`sub\` | The user. Required. The server may be set to another claim. |
| \`exp\` | When the token expires. Required, except in development. |
| \`device\` | The device. Otherwise the header \`X-Device-Id\` names it; otherwise it is \`default\`. |
| \`rooms\` | Rooms the token is valid for, each with a \`role\` or \`grants\`. Without it, all rooms. |

On a development server \`npm run --silent token -- alice\` prints a token. Paste it into **Authorize** on this page to try requests.

## Ids

Ids of users, devices, calls, rooms, invitations and messages are 1 to 255 bytes of UTF-8 without control characters, and not \`.\`
or \`..\`; a room cannot be called \`*\`. They are compared exactly, without normalisation. Percent-encode them in paths and queries, and in \`X-Device-Id\`
where necessary: \`%\` itself, and in browsers everything beyond ASCII.

## A call in order

1. Listen first, then act: both users open their event stream (\`openEventStream\`), or poll (\`pollEvents\`).
2. The caller calls \`createCall\` with an offer and its candidates. The callee receives \`call.incoming\` with both.
3. The callee calls \`acceptCall\` with its answer and candidates. The caller receives \`call.accepted\` with both.
4. Either side calls \`hangUpCall\`. The other one receives \`call.ended\`.

A client that gathers candidates while it signals sends them as it finds them, with \`sendCandidates\`; the other side receives
\`signal.candidates\`. Later offers and answers are sent with \`sendOffer\` and \`sendAnswer\`. When media flows, call
\`reportConnected\`, so that the call record has the time.

The reply to an action has the complete result. Its events go to your other devices and to the other side.

## Events and cursors

Each device has a mailbox with its events of the last minutes, in order. The id of an event is a cursor: open a stream or poll
with the last one you received, on any node, and you get what follows. An event may arrive again with the same id: apply each id once.
If events were lost you receive \`reset\`: get the snapshot.

## Errors

Errors are problem documents (RFC 9457, \`application/problem+json\`). Look at \`code\`; each operation lists those it may return.
\`retryable\` tells whether the same request may succeed later. With 429 and 503 wait for \`Retry-After\`; a 409 needs a change first.
Creating something is safe
to retry with an id of your own or the header \`Idempotency-Key\`. \`GET /problems/{code}\` says what to do about an error.

Every path may also answer 404 \`not_found\`, 405 \`method_not_allowed\`, with the methods of the path in the header \`Allow\`, and
408 \`request_timeout\`.

## Limits

Requests are counted per user: calls, signals and reads. \`RateLimit\` and \`RateLimit-Policy\` in a reply tell what is left.
Ending something is never limited, except for repeats: hanging up, cancelling or rejecting a call you take part in, leaving a room or
removing a participant, declining or cancelling an invitation, signing off, and stopping to watch. A candidate is at most 1 KiB, metadata
4 KiB, and a chat message 4 KiB. An offer or answer is at most \`MAX_SDP_BYTES\` of the server, 64 KiB by default; a request body is at most
four times that, or 256 KiB if that is more.`
