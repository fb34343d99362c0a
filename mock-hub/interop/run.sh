#!/usr/bin/env bash
# The Python clients against a hub: interop/run.sh http://127.0.0.1:PORT
# Makes a virtual environment under the target directory the first time; leaves with 1 when a check failed.
set -euo pipefail
url=${1:?usage: run.sh URL}
cd "$(dirname "${BASH_SOURCE[0]}")"
environment=${CARGO_TARGET_DIR:-$PWD/../../target}/interop-python
if ! cmp -s requirements.txt "$environment/requirements.txt"; then
  python3 -m venv --clear "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps -r requirements.txt
  cp requirements.txt "$environment/requirements.txt"
fi
failed=0
for client in pysignalr signalrcore; do
  PYTHONDONTWRITEBYTECODE=1 timeout 180 "$environment/bin/python" -u "${client}_client.py" "$url" || failed=1
done
exit "$failed"
