// What a client can do next with a reply: OpenAPI links from one operation to others.

type Links = Record<string, { operationId: string; parameters: Record<string, string> }>

const callLinks = (callId: string, operations: readonly string[]): Links =>
  Object.fromEntries(operations.map(operationId => [operationId, { operationId, parameters: { callId } }]))

const cursorLinks = (cursor: string): Links => ({
  openEventStream: { operationId: 'openEventStream', parameters: { cursor } },
  pollEvents: { operationId: 'pollEvents', parameters: { cursor } }
})

const NEW_CALL = '$response.body#/call/callId'
const SAME_CALL = '$request.path.callId'
const CREATED: Links = {
  ...callLinks(NEW_CALL, ['getCall', 'cancelCall', 'sendOffer', 'sendCandidates', 'hangUpCall']),
  ...cursorLinks('$response.body#/cursor')
}

const roomLinks = (operations: readonly string[]): Links =>
  Object.fromEntries(
    operations.map(operationId => [operationId, { operationId, parameters: { roomId: '$request.path.roomId' } }])
  )

const ROOM = roomLinks(['getRoom', 'joinRoom', 'inviteUsers', 'closeRoom'])
const JOINED: Links = {
  ...roomLinks(['getRoom', 'sendRoomOffer', 'sendRoomCandidates', 'postMessage', 'inviteUsers']),
  leaveRoom: {
    operationId: 'removeParticipant',
    parameters: { roomId: '$request.path.roomId', participantId: '$response.body#/participantId' }
  },
  ...cursorLinks('$response.body#/cursor')
}
/** For an invitation of one user. */
const INVITED: Links = {
  cancelInvitation: {
    operationId: 'cancelInvitation',
    parameters: {
      roomId: '$request.path.roomId',
      invitationId: '$response.body#/invitations/0/invitationId'
    }
  }
}
/** Operations beneath /sfu on what was created. `id` is the parameter of their paths. */
const mediaLinks = (id: string, value: string, operations: readonly string[]): Links =>
  Object.fromEntries(
    operations.map(operationId => [
      operationId,
      { operationId, parameters: { roomId: '$request.path.roomId', [id]: `$response.body#/${value}` } }
    ])
  )
const PRODUCED = mediaLinks('producerId', 'producer/producerId', [
  'updateProducer',
  'closeProducer',
  'getProducerStats'
])
const PRODUCED_DATA = mediaLinks('dataProducerId', 'dataProducer/dataProducerId', [
  'closeDataProducer',
  'getDataProducerStats'
])
const POSTED = roomLinks(['listMessages', 'postMessage'])

/** By operation and status. */
export const LINKS: Readonly<Record<string, Readonly<Record<string, Links>>>> = {
  createCall: { 200: CREATED, 201: CREATED },
  getCall: {
    200: callLinks(SAME_CALL, ['acceptCall', 'rejectCall', 'cancelCall', 'hangUpCall', 'getCallTimeline'])
  },
  hangUpCall: { 200: callLinks(SAME_CALL, ['getCallTimeline']) },
  createOrUpdateRoom: { 200: ROOM, 201: ROOM },
  joinRoom: { 200: JOINED, 201: JOINED },
  inviteUsers: { 200: INVITED, 201: INVITED },
  acceptInvitation: { 200: { ...roomLinks(['joinRoom']), ...cursorLinks('$response.body#/cursor') } },
  postMessage: { 200: POSTED, 201: POSTED },
  getRouterCapabilities: { 200: roomLinks(['createTransport']) },
  publishByWhip: { 201: roomLinks(['getRoom', 'listProducers']) },
  viewByWhep: { 201: roomLinks(['getRoom', 'listProducers']) },
  createTransport: {
    201: mediaLinks('transportId', 'transport/id', [
      ...['connectTransport', 'restartIce', 'closeTransport', 'getTransportStats']
    ])
  },
  createProducer: { 200: PRODUCED, 201: PRODUCED },
  createConsumer: {
    201: mediaLinks('consumerId', 'consumer/id', [
      ...['resumeConsumer', 'updateConsumer', 'requestKeyFrame', 'closeConsumer', 'getConsumerStats']
    ])
  },
  createDataProducer: { 200: PRODUCED_DATA, 201: PRODUCED_DATA },
  createDataConsumer: {
    201: mediaLinks('dataConsumerId', 'dataConsumer/id', ['closeDataConsumer', 'getDataConsumerStats'])
  },
  sendCallMessage: { 201: callLinks(SAME_CALL, ['sendCallMessage', 'getCallTimeline', 'hangUpCall']) },
  acceptCall: {
    200: {
      ...callLinks(SAME_CALL, ['sendAnswer', 'sendCandidates', 'reportConnected', 'sendCallMessage', 'hangUpCall']),
      ...cursorLinks('$response.body#/cursor')
    }
  },
  reportRinging: { 200: callLinks(SAME_CALL, ['acceptCall', 'rejectCall']) },
  reportConnected: { 200: callLinks(SAME_CALL, ['holdCall', 'hangUpCall']) },
  holdCall: { 200: callLinks(SAME_CALL, ['resumeCall']) },
  sendOffer: { 202: callLinks(SAME_CALL, ['sendCandidates']) },
  sendAnswer: { 202: callLinks(SAME_CALL, ['sendCandidates', 'reportConnected']) },
  getSnapshot: { 200: cursorLinks('$response.body#/cursor') },
  pollEvents: { 200: cursorLinks('$response.body#/cursor') },
  createEventTicket: {
    201: {
      openEventStream: { operationId: 'openEventStream', parameters: { ticket: '$response.body#/ticket' } }
    }
  }
}
