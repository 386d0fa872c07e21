import { z } from 'zod'
import { parseJson } from '../../core/json.ts'
import { callEngine, type Engine } from './engine.ts'

/** An image that is there. Run by its id, so that nobody puts another one under its name in between. */
export interface Image {
  name: string
  id: string
  /** Where its programs are. */
  path: string
  /** Folders the image wants on disk; they get a file system in memory of limited size. */
  volumes: readonly string[]
}

const inspected = z.tuple([
  z.object({
    Id: z.string().regex(/^(?:sha256:)?[0-9a-f]{12,64}$/),
    Config: z.object({
      Env: z
        .array(z.string())
        .nullish()
        .transform((it) => it ?? []),
      Volumes: z
        .record(z.string(), z.unknown())
        .nullish()
        .transform((it) => Object.keys(it ?? {})),
    }),
  }),
])

const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The image of this name as the engine has it, or null: nothing is downloaded. Throws `invalid_json` when the engine answers in riddles. */
export async function findImage(engine: Engine, name: string): Promise<Image | null> {
  const asked = await callEngine(engine, ['image', 'inspect', '--', name])
  if (asked.exitCode !== 0) return null
  const [{ Id, Config }] = inspected.parse(parseJson(asked.stdout, `${engine.kind} image inspect ${name}`))
  const path = Config.Env.find((it) => it.startsWith('PATH='))?.slice('PATH='.length)
  return { name, id: Id, path: path || USUAL_PATH, volumes: Config.Volumes }
}
