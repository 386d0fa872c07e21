# Sourced by bin/reeve and scripts/with-node.sh. Puts a Node of version 24 or newer first on PATH: the machine's own, one brought before,
# or the npm package that holds the Node binary for this platform. `root` is the checkout. Needs only a POSIX shell and npm.

reeve_node_ok() { # is $1 a Node new enough?
  "$1" -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 24 ? 0 : 1)' > /dev/null 2>&1
}

reeve_find_node() {
  for candidate in "${REEVE_NODE:-}" "$(command -v node 2> /dev/null || true)" "$root/.cache/node/bin/node"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ] && reeve_node_ok "$candidate"; then
      PATH="$(dirname "$candidate"):$PATH"
      export PATH
      return 0
    fi
  done
  reeve_bring_node
}

reeve_bring_node() {
  case "$(uname -s)" in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) echo "reeve: Node 24 or newer is needed, and cannot be brought to $(uname -s). Install it and set REEVE_NODE." >&2; return 3 ;;
  esac
  case "$(uname -m)" in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) echo "reeve: Node 24 or newer is needed, and cannot be brought to $(uname -m). Install it and set REEVE_NODE." >&2; return 3 ;;
  esac
  if ! command -v npm > /dev/null 2>&1; then
    echo "reeve: neither Node 24 nor npm was found. Install Node 24 or newer, then try again." >&2
    return 3
  fi
  echo "reeve: bringing Node 24 (once, about 45 MB) ..." >&2
  mkdir -p "$root/.cache"
  into=$(mktemp -d "$root/.cache/node.XXXXXX") || return 3
  # The platform package holds the binary itself; the package "node" would run an install script.
  if ! npm install --prefix "$into" --no-save --ignore-scripts --no-fund --no-audit --loglevel=error --no-update-notifier \
    "node-$os-$arch@24.21.0" >&2; then
    rm -rf "$into"
    echo "reeve: Node 24 could not be brought by npm. Install it and set REEVE_NODE to its path." >&2
    return 3
  fi
  rm -rf "$root/.cache/node"
  mv "$into/node_modules/node-$os-$arch" "$root/.cache/node" && rm -rf "$into"
  PATH="$root/.cache/node/bin:$PATH"
  export PATH
}

reeve_install() { # the packages of the lockfile, once per lockfile; $1 = "all" or "runtime"
  stamp="$root/node_modules/.reeve-installed"
  sum=$(cksum < "$root/package-lock.json")
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum $1" ]; then return 0; fi
  if [ -f "$stamp" ] && [ "$1" = runtime ] && [ "$(cat "$stamp")" = "$sum all" ]; then return 0; fi
  if ! command -v npm > /dev/null 2>&1; then
    echo "reeve: npm was not found; it is needed once to install reeve's packages." >&2
    return 3
  fi
  echo "reeve: installing packages (once) ..." >&2
  omit=
  if [ "$1" = runtime ]; then omit=--omit=dev; fi
  mkdir -p "$root/.cache"
  log="$root/.cache/npm-ci.log"
  # shellcheck disable=SC2086
  if ! (cd "$root" && npm ci --ignore-scripts --no-fund --no-audit --no-update-notifier --loglevel=error $omit > "$log" 2>&1); then
    head -n 12 "$log" >&2
    echo "reeve: npm ci failed in $root. All it said is in $log." >&2
    return 3
  fi
  echo "$sum $1" > "$stamp"
}
