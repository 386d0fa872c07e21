import { type Kysely, sql } from 'kysely'

/** Columns of `runs` that the queue reads without opening the task: what limits count by, and what holds a run back. */
export interface QueueColumns {
  task_id: string
  role: string
  /** The provider that the task asks for; null: whoever can. */
  provider: string | null
  /** Runs of its project at work at the same time, by the run's own settings; null: as many as there is room for. */
  project_limit: number | null
  /** Why it was not begun although its turn had come, such as a key that is missing. */
  held: string | null
  /** When it is looked at again; 0: it is not held. */
  held_until: number
}

/** Parts of the queue that take nothing new. */
export interface QueueTable {
  /** Root of a project, or `*` for all. */
  scope: string
  /** `draining`: somebody waits until nothing is at work any more. */
  mode: 'paused' | 'draining'
  actor: string
  since: number
}

/** Every column has a default: an older process may go on writing runs. */
export async function createQueue(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('queue')
    .addColumn('scope', 'text', (it) => it.primaryKey())
    .addColumn('mode', 'text', (it) => it.notNull())
    .addColumn('actor', 'text', (it) => it.notNull())
    .addColumn('since', 'bigint', (it) => it.notNull())
    .execute()
  const runs = db.schema.alterTable('runs')
  await runs.addColumn('task_id', 'text', (it) => it.notNull().defaultTo('')).execute()
  await runs.addColumn('role', 'text', (it) => it.notNull().defaultTo('')).execute()
  await runs.addColumn('provider', 'text').execute()
  await runs.addColumn('project_limit', 'integer').execute()
  await runs.addColumn('held', 'text').execute()
  await runs.addColumn('held_until', 'bigint', (it) => it.notNull().defaultTo(0)).execute()
  // Runs of before, once; a store on Postgres begins empty.
  await sql`update runs set task_id = coalesce(json_extract(task, '$.id'), ''), role = coalesce(json_extract(task, '$.role'), ''),
    provider = json_extract(task, '$.provider'), project_limit = json_extract(options, '$.settings.runs.max_concurrent')`.execute(db)
  // Holds all that the choice of the next run reads: a row with its task and settings is ten thousand times as long.
  await db.schema
    .createIndex('runs_in_queue')
    .on('runs')
    .columns(['state', 'priority', 'project', 'role', 'provider', 'project_limit', 'run_at', 'held_until', 'id'])
    .execute()
  await db.schema.createIndex('runs_by_wake').on('runs').columns(['state', 'wake_at', 'id']).execute()
  await db.schema.createIndex('runs_by_task').on('runs').columns(['project', 'task_id', 'id']).execute()
  await db.schema.createIndex('runs_by_project').on('runs').columns(['project', 'state', 'id']).execute()
}
