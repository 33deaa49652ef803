#!/bin/sh
# Make or renew the virtual environment: environment.sh PYTHON VENV REQUIREMENT
set -eu
python=$1 venv=$2 requirement=$3

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
case $version in
  3.11 | 3.12 | 3.13) ;;
  *)
    echo "ddsp-studio needs Python 3.11 to 3.13, and $python is $version; name another one: make PYTHON=/path/to/python3.11" >&2
    exit 1
    ;;
esac

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
  echo "Making the environment in $venv with Python $version ..."
  "$python" -m venv --clear "$venv"
fi
echo "Installing ddsp-studio and what it needs (about 2.5 GB; a few minutes the first time) ..."
"$venv/bin/python" -m pip install --quiet --constraint constraints.txt --editable "$requirement"
