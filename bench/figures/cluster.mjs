// The same whole calls on a real Cluster of three primaries and on one server, two nodes each, in the same rounds.
import { buildsAmong } from '../harness/contenders.mjs'
import { withFleets } from '../harness/fleet.mjs'
import { measureKinds } from './calls.mjs'

const TARGET = 1.6

export async function cluster({ contenders, rounds, quick }) {
  const builds = buildsAmong(contenders)
  const wanted = builds.flatMap(name => [
    { name, nodes: 2 },
    { name, nodes: 2, cluster: true }
  ])
  const kindOf = fleet => `${fleet.name} ${fleet.redis.ports.length > 1 ? 'cluster' : 'server'}`
  const results = await withFleets(wanted, fleets => measureKinds(fleets, { rounds, quick, nameOf: kindOf }))
  const values = (kind, key, suffix) =>
    Object.fromEntries(builds.map(name => [name, results[`${name} ${kind}${suffix}`].map(result => result[key])]))
  const growth = suffix => {
    const [more, one] = ['cluster', 'server'].map(kind => values(kind, 'millis', suffix))
    return Object.fromEntries(builds.map(name => [name, more[name].map((value, round) => value / one[name][round])]))
  }
  return [
    { figure: 'CPU ms a whole call, fives, one server', digits: 2, values: values('server', 'millis', ' fives') },
    { figure: '  Cluster of three primaries', digits: 2, values: values('cluster', 'millis', ' fives') },
    { figure: '  Cluster ÷ one server', digits: 2, values: growth(' fives'), target: TARGET },
    {
      figure: '  Cluster ÷ one server, candidates one by one',
      digits: 2,
      values: growth(' one by one'),
      target: TARGET
    },
    { figure: 'whole calls/s, fives, one server', digits: 0, values: values('server', 'perSecond', ' fives') },
    { figure: '  Cluster of three primaries', digits: 0, values: values('cluster', 'perSecond', ' fives') }
  ]
}
