#!/bin/sh
# Proves that the image builds and serves: builds it, runs it confined as docker-compose.yml does, enrolls a synthetic
# person over HTTP, tells what they do, kills the service, starts a new container on the same volume and recognises the
# person again.
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
    "$engine" exec --interactive --env API_KEY="$api_key" --env URL="http://127.0.0.1:$port" "$name" python - "$@"
}

# Decisions and scores of the /verify answers on standard input, one a line.
outcomes() {
    grep '^POST /verify' | grep -o '^[^[]*' | grep -o -E '"(decision|score)": [^,]*'
}

# What the service gave for the person, then for the stranger.
recognised() {
    [ "$(printf '%s\n' "$1" | outcomes | grep decision)" = "$(printf '"decision": "match"\n"decision": "non_match"')" ] ||
        fail "the person was to match and the stranger was not"
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
api_key=$(run --rm "$image" python -m app.cli keys create --name proof --scopes enroll,verify,identify,activity,read --galleries '*' |
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
confined = os.getuid(), status["CapEff"].strip(), status["NoNewPrivs"].strip()
may_write = [f for f in ("/", "/app", "/opt/venv", "/tmp", "/data") if writable(f)]
present = [m for m in ("torch", "onnx", "pip", "setuptools", "pytest") if importlib.util.find_spec(m)]
print("uid", confined[0], "capabilities", confined[1], "no_new_privs", confined[2])
print("writable", may_write)
print("present", present)
if (confined, may_write, present) != ((10001, "0" * 16, "1"), ["/tmp", "/data"], []): sys.exit(1)' ||
    fail "the container is not confined as it should be, or holds too much"

step "licences and bundles in the image, as in the working tree"
for file in LICENSE LICENSES/* models/*@*/*; do
    "$engine" exec "$name" cat "/app/$file" | cmp - "$file" || fail "$file is not in the image as it is here"
    echo "same $file"
done

step "enroll, verify"
before=$(client enroll <deploy/prove_client.py) || fail "not served: $before"
printf '%s\n' "$before"
recognised "$before"

step "activity"
newest=$(basename "$(printf '%s\n' models/activity@* | sort -V | tail -n 1)")
client "$newest" <<'END'
import json, os, sys
import httpx
from ml.synthetic.ecg import SyntheticPerson
signal = [round(float(value_mv), 4) for value_mv in SyntheticPerson.draw(1).record(30.0, 250.0, seed=13)]
strip = {"modality": "ecg", "fs_hz": 250.0, "unit": "mV", "lead": "I", "signal": signal}
headers = {"Authorization": f"Bearer {os.environ['API_KEY']}"}
answer = httpx.post(os.environ["URL"] + "/activity", json={"recording": strip}, headers=headers, timeout=30.0)
print("POST /activity", answer.status_code, json.dumps(answer.json()))
answer.raise_for_status()
if answer.json()["encoder"] != sys.argv[1]:
    sys.exit(f"prove-container: {sys.argv[1]} was to tell the activity")
END

step "kill -9, a new container on the same volume, verify again"
"$engine" kill --signal KILL "$name" >/dev/null
"$engine" rm --force "$name" >/dev/null
start
after=$(client verify <deploy/prove_client.py) || fail "not served: $after"
printf '%s\n' "$after"
recognised "$after"
[ "$(printf '%s\n' "$before" | outcomes)" = "$(printf '%s\n' "$after" | outcomes)" ] || fail "the scores changed"

step "SIGTERM"
began=$(date +%s)
"$engine" stop --time 20 "$name" >/dev/null
code=$("$engine" inspect --format '{{.State.ExitCode}}' "$name")
echo "stopped after $(($(date +%s) - began)) s, exit code $code"
[ "$code" = 0 ] || fail "it did not end in order"

step "proved"
