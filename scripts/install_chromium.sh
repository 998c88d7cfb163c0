#!/usr/bin/env bash
# Chromium for the browser tests. Without it those tests are skipped, and say so: this never fails.
set -u
for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
  echo "No Chromium, and no right to install it: the browser tests will be skipped." >&2
  exit 0
fi
log=$(mktemp)
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium fonts-dejavu-core; } >"$log" 2>&1; then
  echo "Chromium could not be installed: the browser tests will be skipped." >&2
  tail -n 3 "$log" >&2
fi
rm -f "$log"
exit 0
