// What a person sends: the camera, or a picture and a tone that the page generates.

export interface Picture {
  readonly stream: MediaStream
  /** Why it is not the camera that was asked for; empty: it is, or none was asked for. */
  readonly lack: string
  stop(): void
}

interface PictureOptions {
  readonly name: string
  readonly hue: number
  readonly wantsCamera: boolean
}

const WIDTH = 640
const HEIGHT = 480
const FPS = 12

/** Without a camera, or without the permission to use it, the picture is generated. */
export async function openPicture(options: PictureOptions): Promise<Picture> {
  if (!options.wantsCamera) return generatePicture(options, '')
  // Pages without TLS have none, except on this machine.
  if (!navigator.mediaDevices) return generatePicture(options, 'Without TLS the browser gives no camera')
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: WIDTH, height: HEIGHT } })
    return { stream, lack: '', stop: () => stopTracks(stream) }
  } catch (error) {
    return generatePicture(options, lackOf(error as DOMException))
  }
}

function lackOf({ name, message }: DOMException): string {
  if (name === 'NotAllowedError') return 'The camera was refused'
  return name === 'NotFoundError' ? 'There is no camera or microphone' : `The camera does not start: ${message}`
}

function generatePicture({ name, hue }: PictureOptions, lack: string): Picture {
  const canvas = document.createElement('canvas')
  canvas.width = WIDTH
  canvas.height = HEIGHT
  const context = canvas.getContext('2d')
  const startedAt = Date.now()
  const draw = () => context && drawPicture(context, { name, hue, elapsedMs: Date.now() - startedAt })
  draw()
  const timer = setInterval(draw, 1000 / FPS)
  const stream = canvas.captureStream(FPS)
  const tone = openTone(hue)
  for (const track of tone.stream.getAudioTracks()) stream.addTrack(track)
  const stop = () => {
    clearInterval(timer)
    stopTracks(stream)
    void tone.context.close()
  }
  return { stream, lack, stop }
}

/** A quiet tone, so that sound can be checked. */
function openTone(hue: number): { stream: MediaStream; context: AudioContext } {
  const context = new AudioContext()
  const oscillator = new OscillatorNode(context, { frequency: 220 + hue / 2 })
  const volume = new GainNode(context, { gain: 0.03 })
  const destination = new MediaStreamAudioDestinationNode(context)
  oscillator.connect(volume).connect(destination)
  oscillator.start()
  return { stream: destination.stream, context }
}

interface Frame {
  readonly name: string
  readonly hue: number
  readonly elapsedMs: number
}

function drawPicture(context: CanvasRenderingContext2D, { name, hue, elapsedMs }: Frame): void {
  const seconds = elapsedMs / 1000
  const background = context.createLinearGradient(0, 0, WIDTH, HEIGHT)
  background.addColorStop(0, `hsl(${hue} 45% 34%)`)
  background.addColorStop(1, `hsl(${hue + 40} 50% 16%)`)
  context.fillStyle = background
  context.fillRect(0, 0, WIDTH, HEIGHT)
  context.fillStyle = `hsl(${hue} 60% 70% / 0.35)`
  for (let ring = 0; ring < 3; ring++) {
    context.beginPath()
    context.arc(WIDTH / 2, HEIGHT / 2, 90 + 46 * ((seconds * 0.6 + ring) % 3), 0, 2 * Math.PI)
    context.lineWidth = 4
    context.strokeStyle = `hsl(${hue} 60% 75% / ${0.5 - 0.16 * ((seconds * 0.6 + ring) % 3)})`
    context.stroke()
  }
  context.beginPath()
  context.arc(WIDTH / 2, HEIGHT / 2, 88, 0, 2 * Math.PI)
  context.fill()
  context.fillStyle = '#fff'
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.font = '600 96px system-ui, sans-serif'
  context.fillText((name[0] ?? '?').toUpperCase(), WIDTH / 2, HEIGHT / 2 + 6)
  context.font = '500 28px ui-monospace, monospace'
  context.fillText(`${name}  ${seconds.toFixed(1)} s`, WIDTH / 2, 50)
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}
