#!/bin/sh
# Sets up what development needs (Node 24, all packages) and runs the given command with it. Used by the npm scripts.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/find-node.sh"
reeve_find_node
reeve_install all
PATH="$root/node_modules/.bin:$PATH"
cd "$root"
exec "$@"
