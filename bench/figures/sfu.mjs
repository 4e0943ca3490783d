// Rooms in mode sfu on two nodes, one Redis and one media service without media: 200 participants join, each creates and connects two transports,
// produces audio and video, consumes ten producers of others, resumes them, and all leave. The same requests to the media service directly show
// what its part costs.
import { randomBytes } from 'node:crypto'
import { buildsAmong, MEDIA_SERVICE } from '../harness/contenders.mjs'
import { withFleets } from '../harness/fleet.mjs'
import { cpuMicros } from '../harness/meters.mjs'
import { inRounds } from '../harness/rounds.mjs'

const SIZE = 200
const QUICK_SIZE = 50
const WIDTH = 64
/** The column of what is asked directly. */
const DIRECT = 'bare'

/**
 * In the order in which participants take them. `each`: requests of a participant; the first one, who has created the room, neither joins nor
 * leaves. `direct`: the media service has the same request.
 */
export const STEPS = {
  join: { title: 'a join', each: 1 },
  transport: { title: 'a transport created', each: 2, direct: true },
  connect: { title: 'a transport connected', each: 2, direct: true },
  produce: { title: 'a producer', each: 2, direct: true },
  consume: { title: 'a consumer', each: 10, direct: true },
  resume: { title: 'a consumer resumed', each: 10, direct: true },
  leave: { title: 'a leave', each: 1 }
}
const WITH_EVENTS = ['join', 'produce', 'leave']

let rooms = 0

/** Starts each build with a media service of its own. `work` gets the fleets of the builds, each with its `service`. */
export function withMediaFleets(builds, options, work) {
  const secret = randomBytes(32).toString('hex')
  return withFleets(
    builds.map(() => ({ name: MEDIA_SERVICE, nodes: 1 })),
    services => {
      const wanted = services.map(({ servers: [{ port }] }, i) => ({
        ...{ ...options, name: builds[i], nodes: 2 },
        env: { MEDIA_SERVICE_URLS: `http://127.0.0.1:${port}`, MEDIA_SERVICE_SECRET: secret }
      }))
      return withFleets(wanted, fleets => work(fleets.map((fleet, i) => ({ ...fleet, service: services[i] }))))
    }
  )
}

/** Opens a conference in which no step has been taken. */
export const openConference = (fleet, { size, direct = false }) =>
  fleet.openConference({ size, direct, roomId: `room-${++rooms}` })

export async function takeStep(fleet, { step, size }) {
  const servicePid = fleet.service?.servers[0].pid
  const serviceBefore = servicePid && cpuMicros(servicePid)
  const options = { step, each: STEPS[step].each, width: Math.min(WIDTH, size) }
  const { count, ...result } = await fleet.measure('inConference', options)
  return {
    micros: result.cpu / count,
    serverMicros: (result.cpu - result.redisCpu) / count,
    redisMicros: result.redisCpu / count,
    serviceMicros: servicePid && (cpuMicros(servicePid) - serviceBefore) / count,
    perSecond: (count / result.answeredMs) * 1000,
    p99: result.p99,
    deliveries: result.deliveries,
    deliveryMicros: result.cpu / result.deliveries
  }
}

/** All steps of one conference, by name. */
export async function holdConference(fleet, { size, direct = false }) {
  await openConference(fleet, { size, direct })
  const results = {}
  for (const [step, { direct: isAsked }] of Object.entries(STEPS)) {
    if (isAsked || !direct) results[step] = await takeStep(fleet, { step, size })
  }
  await fleet.ask('closeConference')
  return results
}

export function sfu({ contenders, rounds, quick }) {
  const builds = buildsAmong(contenders)
  const size = quick ? QUICK_SIZE : SIZE
  return withMediaFleets(builds, {}, async fleets => {
    const [{ service }] = fleets
    const measurements = { [DIRECT]: () => holdConference(service, { size, direct: true }) }
    for (const fleet of fleets) {
      await holdConference(fleet, { size: QUICK_SIZE })
      measurements[fleet.name] = () => holdConference(fleet, { size })
    }
    await holdConference(service, { size: QUICK_SIZE, direct: true })
    return rowsOf(await inRounds(rounds, measurements), builds)
  })
}

function rowsOf(results, builds) {
  const valuesOf = (names, step, key) =>
    Object.fromEntries(names.map(name => [name, results[name].map(steps => steps[step][key])]))
  return Object.entries(STEPS).flatMap(([step, { title, direct = false }]) => {
    const of = key => valuesOf(builds, step, key)
    const beside = (key, keyOfDirect = key) => ({
      ...of(key),
      ...(direct ? valuesOf([DIRECT], step, keyOfDirect) : {})
    })
    return [
      { figure: `CPU µs ${title}`, values: beside('micros', 'serverMicros'), ...(direct ? { of: DIRECT } : {}) },
      { figure: '  of it Redis', values: of('redisMicros') },
      { figure: '  media service, not in it', values: of('serviceMicros') },
      { figure: '  requests/s', digits: 0, values: beside('perSecond') },
      { figure: '  p99 ms', values: beside('p99') },
      ...(WITH_EVENTS.includes(step) ? eventRows(of) : [])
    ]
  })
}

const eventRows = of => [
  { figure: '  events delivered', digits: 0, values: of('deliveries') },
  { figure: '  CPU µs an event delivered', values: of('deliveryMicros') }
]
