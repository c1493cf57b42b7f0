#!/bin/sh
# Proves that the image builds and serves: builds it, runs it confined as docker-compose.yml does, enrolls a synthetic
# person over HTTP, kills the service, starts a new container on the same volume and recognises the person again.
#
#   sh deploy/prove-container.sh                 with Docker, or ENGINE=podman
#   BASE=debootstrap sh deploy/prove-container.sh  where no image registry is reachable: Debian's packages instead
#
# BUILD_OPTIONS and RUN_OPTIONS are added to every build and run, PYTHON_IMAGE names another base. With SECRETS_DIR, a
# folder that make-secrets.sh has filled, RUN_OPTIONS can point at a PostgreSQL that has its password.
# docs/container-proof.md shows a run.
set -eu
cd "$(dirname "$0")/.."

engine=${ENGINE:-docker}
image=localhost/pulseprint:proof
port=${PORT:-8765}
name=pulseprint-proof-$$
work=$(mktemp -d)
secrets=${SECRETS_DIR:-$work/secrets}

step() { printf '\n== %s\n' "$*"; }
fail() {
    echo "prove-container: $*" >&2
    exit 1
}

clean_up() {
    "$engine" rm --force "$name" >/dev/null 2>&1 || true
    "$engine" volume rm "$name" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT

make_base_image() {
    # The same content as python:3.11-slim for our purpose: Debian with Python and venv, `python` on the PATH.
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$work/base" >"$work/debootstrap.log"
    ln -s /usr/bin/python3 "$work/base/usr/local/bin/python"
    rm -rf "$work/base"/var/cache/apt/archives/*.deb "$work/base"/var/lib/apt/lists/*
    tar --create --directory "$work/base" . | "$engine" import - "$1" >/dev/null
    rm -rf "$work/base"
}

# The confinement of docker-compose.yml; the host's network only so that the proof needs no bridge.
# shellcheck disable=SC2086 # RUN_OPTIONS are several words.
run() {
    "$engine" run --read-only --tmpfs /tmp:size=64m,mode=1777 --cap-drop ALL --security-opt no-new-privileges \
        --network host --volume "$name:/data" --volume "$secrets:/run/secrets:ro" \
        --env PULSEPRINT_HOST=127.0.0.1 --env PULSEPRINT_PORT="$port" \
        --env PULSEPRINT_MASTER_KEYS_FILE=/run/secrets/master_keys ${RUN_OPTIONS:-} "$@"
}

start() {
    run --detach --name "$name" "$image" >/dev/null
    tries=0
    until "$engine" exec "$name" python -m app.cli healthcheck >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || { "$engine" logs "$name"; fail "not ready after 60 tries"; }
        sleep 0.5
    done
    echo "ready: $("$engine" exec "$name" python -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:$port/readyz').read().decode())")"
}

client() {
    "$engine" exec --interactive --env API_KEY="$api_key" --env URL="http://127.0.0.1:$port" "$name" python - "$1" <deploy/prove_client.py
}

if [ "${BASE:-}" = debootstrap ]; then
    PYTHON_IMAGE=localhost/python:3.11-slim-local
    step "base image from Debian's packages"
    make_base_image "$PYTHON_IMAGE"
fi

step "build"
# shellcheck disable=SC2086
"$engine" build ${BUILD_OPTIONS:-} --build-arg PYTHON_IMAGE="${PYTHON_IMAGE:-python:3.11-slim}" \
    --build-arg REVISION="$(git rev-parse --short HEAD)" --tag "$image" . >"$work/build.log" 2>&1 || {
    tail -n 30 "$work/build.log"
    fail "the image does not build"
}
"$engine" image inspect --format 'user {{.Config.User}}, {{.Size}} bytes, command {{.Config.Cmd}}, labels {{.Config.Labels}}' "$image"
"$engine" image inspect "$image" | grep --ignore-case --max-count 1 --after-context 9 '"healthcheck": {' || fail "the image has no HEALTHCHECK"

step "migrate and create a key"
[ -n "${SECRETS_DIR:-}" ] || DEPLOY_SECRETS_DIR="$secrets" sh deploy/make-secrets.sh >/dev/null
chmod 755 "$secrets" # Mounted as a folder here, file by file in compose.
run --rm "$image" python -m app.cli migrate
api_key=$(run --rm "$image" python -m app.cli keys create --name proof --scopes enroll,verify,identify,read --galleries '*' |
    grep -o 'pp_[A-Za-z0-9_-]*' | head -n 1)
[ -n "$api_key" ] || fail "no key was printed"

step "without a master key it refuses, in one line"
if run --rm --env PULSEPRINT_MASTER_KEYS_FILE=/run/secrets/absent "$image"; then fail "it started without a master key"; fi

step "start: read-only root, no capability, uid 10001"
start
"$engine" exec "$name" python -c '
import importlib.util, os, sys
def writable(folder):
    try: open(folder + "/x", "w").close(); os.remove(folder + "/x"); return True
    except OSError: return False
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print("uid", os.getuid(), "capabilities", status["CapEff"].strip(), "no_new_privs", status["NoNewPrivs"].strip())
print("writable", [f for f in ("/", "/app", "/opt/venv", "/tmp", "/data") if writable(f)])
print("present", [m for m in ("torch", "pip", "pytest") if importlib.util.find_spec(m)])'

step "enroll, verify"
client enroll

step "kill -9, a new container on the same volume, verify again"
"$engine" kill --signal KILL "$name" >/dev/null
"$engine" rm --force "$name" >/dev/null
start
client verify

step "SIGTERM"
began=$(date +%s)
"$engine" stop --time 20 "$name" >/dev/null
echo "stopped after $(($(date +%s) - began)) s, exit code $("$engine" inspect --format '{{.State.ExitCode}}' "$name")"

step "proved"
