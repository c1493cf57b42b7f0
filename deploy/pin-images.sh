#!/bin/sh
# Pin the base images by digest: names may point to other images tomorrow. Needs Docker with buildx and a network.
set -eu

file=${1:-deploy.env}
test -f "$file" || { echo "pin-images: there is no $file; cp deploy.env.example deploy.env" >&2; exit 1; }

pin() { # variable, image
  digest=$(docker buildx imagetools inspect "$2" --format '{{.Manifest.Digest}}')
  case $digest in
    sha256:????????????????????????????????????????????????????????????????) ;;
    *) echo "pin-images: no digest of $2: $digest" >&2; exit 1 ;;
  esac
  sed "/^$1=/d" "$file" > "$file.new"
  echo "$1=$2@$digest" >> "$file.new"
  mv "$file.new" "$file"
  echo "$1=$2@$digest"
}

pin DEPLOY_PYTHON_IMAGE python:3.11-slim
pin DEPLOY_DATABASE_IMAGE postgres:17-bookworm
