#!/usr/bin/env bash
# Chromium against a hub: browser/run.sh http://127.0.0.1:PORT [http://127.0.0.1:OTHER]
# The second hub, for the conversation, was started with --any-login --counted-quotes; default: the first.
# Needs Node.js 20 and Chromium ($CHROMIUM, default /usr/bin/chromium); screenshots go to the directory $PICTURES, if any.
# Leaves with 1 when a check failed.
set -euo pipefail
url=${1:?usage: run.sh URL [URL]}
counting=${2:-$url}
pictures=${PICTURES:+$(realpath "$PICTURES")}
cd "$(dirname "${BASH_SOURCE[0]}")"
[ -x "${CHROMIUM:=/usr/bin/chromium}" ] || { echo "no Chromium at $CHROMIUM"; exit 1; }
export CHROMIUM
npm ci --silent --no-audit --no-fund
failed=0
timeout 300 node conversation.mjs "$counting" || failed=1
timeout 300 node console.mjs "$url" ${pictures:+"$pictures"} || failed=1
exit "$failed"
