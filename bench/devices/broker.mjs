// mosquitto with a password for each user, who may read their own topic and write those of others. All in memory.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryOf } from '../harness/meters.mjs'
import { freePort, keepDirectory, probePort, remember, start, stop, untilReady } from '../harness/processes.mjs'

export async function startBroker(password) {
  const folder = mkdtempSync(join(tmpdir(), 'signalpost-bench-'))
  keepDirectory(folder)
  const port = await freePort()
  const [passwords, rights, config] = ['passwords', 'rights', 'mosquitto.conf'].map(name => join(folder, name))
  writeFileSync(passwords, ['alice', 'bob'].map(user => `${user}:${password}\n`).join(''), { mode: 0o600 })
  execFileSync('mosquitto_passwd', ['-U', passwords])
  writeFileSync(rights, 'pattern read calls/%u\npattern write calls/+\n')
  // Started by root it would become another user, who may not read the folder.
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous false', `password_file ${passwords}`, 'user root']
  writeFileSync(config, `${[...lines, `acl_file ${rights}`, 'set_tcp_nodelay true', 'log_type error'].join('\n')}\n`)
  const child = start('mosquitto', 'mosquitto', { args: ['-c', config], env: process.env })
  await untilReady(child, () => probePort(port))
  return { port, password, stop: () => stop(child) }
}

/** The memory of mosquitto_pub with one message. It ends at once with -m, so here it reads the message from stdin and stays. */
export async function measurePublisher({ port, password }, text) {
  const server = ['-h', '127.0.0.1', '-p', `${port}`, '-u', 'alice', '-P', password, '-q', '1']
  const child = remember(spawn('stdbuf', ['-oL', 'mosquitto_pub', ...server, '-d', '-l', '-t', 'calls/bob']))
  child.stdin.write(`${text}\n`)
  for await (const line of child.stdout.setEncoding('utf8')) if (line.includes('received PUBACK')) break
  const memory = memoryOf(child.pid)
  child.stdin.end()
  await stop(child)
  return memory
}
