#!/bin/sh
# See that the system libraries are there: system-packages.sh run|test PYTHON
# As root on Debian and its relatives the missing ones are installed; otherwise the one line to run is printed.
set -eu
purpose=$1 python=$2

[ "$(uname -s)" = Linux ] || exit 0
if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "Not a Debian system: if the studio does not start, install PortAudio and Qt's xcb libraries (see README)." >&2
  exit 0
fi

# the environment, audio output, and what Qt's window needs; the wheels carry everything else. ALSA's library comes with PortAudio,
# under the name that it has there: libasound2 is a package in Debian 12 and Ubuntu 22.04, and a name that two share in Ubuntu 24.04
packages="python3-venv libportaudio2 libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libwayland-cursor0 libwayland-egl1 libxkbcommon-x11-0 \
libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xkb1 fonts-dejavu-core"
# python-rtmidi has no wheel for this Python: it is compiled, for ALSA and JACK
if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null; then
  packages="$packages g++ pkg-config libasound2-dev libjack-jackd2-dev"
  "$python" -c 'import pathlib, sys, sysconfig; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' ||
    packages="$packages python3-dev"
fi
# tests play through a real audio server and open a real window, both without hardware
[ "$purpose" = test ] && packages="$packages jackd2 xvfb"

has() {
  dpkg-query -W -f '${Status} ${Provides}\n' "$1" 2>/dev/null | grep -q '^install ok installed' ||
    dpkg-query -W -f '${db:Status-Abbrev} ${Provides}\n' 2>/dev/null | grep -Eq "^ii .*\b$1( |,|\$)"
}

missing=""
for package in $packages; do
  has "$package" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$purpose" = run ] && [ "$(id -u)" -ne 0 ]; then
  echo "A few system libraries are missing. Run this line, then make again:" >&2
  echo "  sudo apt-get install -y --no-install-recommends$missing" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "Tests that need$missing are skipped; to run them: sudo apt-get install -y --no-install-recommends$missing" >&2
  exit 0
fi
echo "Installing system libraries:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "The system libraries could not be installed; mend that and make again." >&2
  exit 1
fi
