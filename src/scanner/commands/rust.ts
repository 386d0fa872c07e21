import type { DetectedCommand } from '../port.ts'
import { command } from './command.ts'
import { type ProjectFiles, under } from './project-files.ts'

const NEEDS = { program: 'cargo', hint: 'Install Rust with its cargo.' }

async function detectFolder(project: ProjectFiles, cwd: string): Promise<DetectedCommand[]> {
  const manifest = under(cwd, 'Cargo.toml')
  const ignores = await Promise.all(['.gitignore', under(cwd, '.gitignore')].map((it) => project.text(it)))
  // Where git does not ignore `target/`, what is built goes into a folder that ignores itself.
  const ignored = /^\/?(?:\*\*\/)?target\/?\s*$/m.test(ignores.join('\n'))
  const aside = ignored ? {} : { buildFolder: { path: 'build-reeve', fresh: false }, env: { CARGO_TARGET_DIR: 'build-reeve' } }
  const shared = { cwd, reason: manifest, needs: NEEDS, ...aside }
  const own = project.text(manifest)
  const workspace = /^\[workspace\]/m.test(await own) ? ['--workspace'] : []
  const json = { format: 'json', path: null } as const
  const clippy = [under(cwd, 'clippy.toml'), under(cwd, '.clippy.toml')].find((it) => project.has(it))
  return [
    command({
      ...shared,
      gate: 'build',
      tool: 'cargo-build',
      argv: ['cargo', 'build', ...workspace, '--message-format=json'],
      typed: 'cargo build',
      report: json,
    }),
    command({
      ...shared,
      gate: 'lint',
      tool: 'cargo-clippy',
      argv: ['cargo', 'clippy', ...workspace, '--all-targets', '--message-format=json'],
      reason: clippy ?? manifest,
      typed: 'cargo clippy --all-targets',
      needs: { program: 'cargo-clippy', hint: 'Install it with: rustup component add clippy' },
      report: json,
    }),
    command({
      ...shared,
      gate: 'tests',
      tool: 'cargo-test',
      argv: ['cargo', 'test', ...workspace, '--no-fail-fast', '{tests}'],
      typed: 'cargo test',
      report: { format: 'text', path: null },
    }),
    command({
      ...shared,
      gate: 'coverage',
      tool: 'cargo-llvm-cov',
      argv: ['cargo', 'llvm-cov', ...workspace, '--lcov', '--output-path', '{report}/lcov.info'],
      typed: 'cargo llvm-cov --lcov',
      needs: { program: 'cargo-llvm-cov', hint: 'Install it with: cargo install cargo-llvm-cov' },
      report: { format: 'lcov', path: '{report}/lcov.info' },
    }),
  ]
}

/** Rust: Cargo. */
export async function detectRust(project: ProjectFiles): Promise<DetectedCommand[]> {
  const found = await Promise.all(project.foldersWith(['Cargo.toml']).map((folder) => detectFolder(project, folder)))
  return found.flat()
}
