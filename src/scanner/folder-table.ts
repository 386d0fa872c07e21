/** Folders and files that are not the project's own work, as data. */

/** Whole folders left out wherever they lie, tracked or not: somebody else's code, or made by a program. */
export const FOREIGN_FOLDERS: ReadonlyMap<string, string> = new Map([
  ...named('installed packages', 'node_modules', 'bower_components', 'jspm_packages', 'web_modules', '.yarn', '.pnpm-store'),
  ...named('installed packages', '.venv', 'venv', 'virtualenv', 'site-packages', '.eggs', 'deps.compile', '.bundle', 'pods', 'carthage'),
  ...named('vendored code', 'vendor', 'vendored', 'third_party', 'third-party', 'thirdparty'),
  ...named('build output', 'dist', '.next', '.nuxt', '.svelte-kit', '.output', '.angular', '.parcel-cache', '.turbo', 'storybook-static'),
  ...named('build output', '_build', '.gradle', '.stack-work', '.dart_tool', 'cmake-build-debug', 'cmake-build-release', 'deriveddata'),
  ...named('cache', '__pycache__', '.mypy_cache', '.pytest_cache', '.ruff_cache', '.tox', '.nox', '.cache', '.hypothesis', '.nyc_output'),
  ...named('coverage report', 'htmlcov', 'lcov-report', '.coverage'),
  ...named("a tool's own folder", '.git', '.hg', '.svn', '.jj', '.idea', '.vs', '.terraform', '.serverless', '.vagrant'),
])

/** Names that build tools use for their output and people also use for sources: left out only where git does not track them and a manifest is beside them. */
export const OUTPUT_FOLDERS: ReadonlySet<string> = new Set([
  'build',
  'target',
  'out',
  'bin',
  'obj',
  'coverage',
  'deps',
  'public-dist',
  'debug',
  'release',
])

/** A folder that holds one of these is made by a program, whatever its name. */
export const MADE_BY: ReadonlyMap<string, string> = new Map([
  ['pyvenv.cfg', 'a Python virtual environment'],
  ['CMakeCache.txt', 'a CMake build folder'],
  ['build.ninja', 'a Ninja build folder'],
])

/** Files beside which an untracked `build`, `target`, … is output. */
export const MANIFESTS: ReadonlySet<string> = new Set([
  ...words('package.json pyproject.toml setup.py Cargo.toml go.mod pom.xml build.gradle build.gradle.kts'),
  ...words('CMakeLists.txt Makefile meson.build mix.exs Gemfile composer.json Package.swift build.sbt'),
])

/** Extensions that are never text: not opened at all. */
export const BINARY_EXTENSIONS: ReadonlySet<string> = new Set([
  ...words('png jpg jpeg gif bmp ico icns webp avif heic tif tiff psd ai sketch fig xcf'),
  ...words('mp3 mp4 m4a m4v mov avi mkv webm wav flac ogg ogv aac'),
  ...words('zip gz tgz bz2 xz zst 7z rar tar jar war ear whl egg gem deb rpm dmg iso'),
  ...words('o a so dll dylib exe lib obj class pyc pyo beam wasm node bin dat elf pdb'),
  ...words('woff woff2 ttf otf eot pdf doc docx xls xlsx ppt pptx odt ods'),
  ...words('db sqlite sqlite3 mdb parquet arrow avro npy npz pkl pickle h5 hdf5 onnx pt gguf safetensors'),
  ...words('keystore jks p12 pfx der'),
])

/** Listed whatever their size and content: their presence says which package manager is used. Nobody reads them as text. */
export const LOCKFILES: ReadonlySet<string> = new Set([
  ...words('package-lock.json npm-shrinkwrap.json pnpm-lock.yaml yarn.lock bun.lock bun.lockb'),
  ...words('poetry.lock uv.lock pdm.lock Pipfile.lock Cargo.lock go.sum gradle.lockfile mix.lock Gemfile.lock'),
  ...words('conan.lock vcpkg-lock.json composer.lock packages.lock.json flake.lock deno.lock pubspec.lock Package.resolved'),
])

function named(reason: string, ...names: string[]): [string, string][] {
  return names.map((it) => [it, reason])
}

function words(line: string): string[] {
  return line.split(' ')
}
