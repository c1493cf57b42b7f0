#!/bin/sh
# Proves that the image builds and serves. Builds it, lists what it holds, runs it confined as docker-compose.yml does,
# enrolls and recognizes a computed person by ECG, fingerprint and face over HTTP, kills the service, starts a new container
# on the same volume and recognizes the person again.
#
#   sh deploy/prove-container.sh                   with Docker, or ENGINE=podman
#   BASE=debootstrap sh deploy/prove-container.sh  without an image registry: a base made of Debian's packages
#
# BUILD_OPTIONS are added to the build and RUN_OPTIONS to every run; PYTHON_IMAGE names another base. With SECRETS_DIR, a
# folder that make-secrets.sh has filled, RUN_OPTIONS can name a PostgreSQL that has its password. FACE=0 builds and proves
# an image without the face networks of others.
# docs/container-proof.md shows a run.
set -eu
cd "$(dirname "$0")/.."

engine=${ENGINE:-docker}
image=localhost/pulseprint:proof
port=${PORT:-8765}
face=${FACE:-1}
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

# A container of its own, of the same image: the image holds no synthetic people, so they are mounted into this one only.
# As root, because a checkout may be closed to uid 10001.
# shellcheck disable=SC2086
client() {
    "$engine" run --rm --interactive --network host --user 0 --volume "$PWD/ml/synthetic:/app/ml/synthetic:ro" \
        --env API_KEY="$api_key" --env URL="http://127.0.0.1:$port" ${RUN_OPTIONS:-} "$image" python - "$@" \
        <deploy/prove_client.py
}

# Decisions and scores of the answers on standard input, one a line.
outcomes() {
    grep -E '^POST /(verify|identify) ' | grep -o '^[^[]*' | grep -o -E '"(decision|score)": [^,]*'
}

if [ "${BASE:-}" = debootstrap ]; then
    PYTHON_IMAGE=localhost/python:3.11-slim-local
    step "base image from Debian's packages"
    make_base_image "$PYTHON_IMAGE"
fi

step "build"
# shellcheck disable=SC2086
"$engine" build ${BUILD_OPTIONS:-} --build-arg PYTHON_IMAGE="${PYTHON_IMAGE:-python:3.11-slim}" \
    --build-arg FACE="$face" --build-arg REVISION="$(git rev-parse --short HEAD)" --tag "$image" . >"$work/build.log" 2>&1 || {
    tail -n 30 "$work/build.log"
    fail "the image does not build"
}
"$engine" image inspect --format 'user {{.Config.User}}, {{.Size}} bytes, command {{.Config.Cmd}}, labels {{.Config.Labels}}' "$image"
"$engine" image inspect "$image" | grep --ignore-case --max-count 1 --after-context 9 '"healthcheck": {' || fail "the image has no HEALTHCHECK"
grep -o 'pulseprint: face.*' "$work/build.log" || [ "$face" = 0 ] || fail "the build does not say what became of the face networks"

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
import os, sys
def writable(folder):
    try: open(folder + "/x", "w").close(); os.remove(folder + "/x"); return True
    except OSError: return False
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
confined = os.getuid(), status["CapEff"].strip(), status["NoNewPrivs"].strip()
may_write = [f for f in ("/", "/app", "/opt/venv", "/tmp", "/data") if writable(f)]
print("uid", confined[0], "capabilities", confined[1], "no_new_privs", confined[2])
print("writable", may_write)
if (confined, may_write) != ((10001, "0" * 16, "1"), ["/tmp", "/data"]): sys.exit(1)' ||
    fail "the container is not confined as it should be"

step "what serves is inside, and nothing else of app and ml"
"$engine" exec "$name" python -c '
import importlib.util, pathlib, sys, sysconfig
def listed(folder): return sorted(path.name for path in pathlib.Path(folder).iterdir() if path.name != "__pycache__")
def mebibytes(*folders): return sum(p.lstat().st_size for f in folders for p in pathlib.Path(f).rglob("*") if p.is_file()) >> 20
print("app", listed("app"))
print("ml", listed("ml"))
print("ml/runtime", listed("ml/runtime"))
unwanted = "torch", "onnx", "pip", "setuptools", "pytest", "ml.synthetic", "app.demo"
present = [module for module in unwanted if importlib.util.find_spec(module)]
print("absent", [module for module in unwanted if module not in present])
print("site-packages", mebibytes(sysconfig.get_path("purelib")), "MiB, models", mebibytes("models"), "MiB")
if listed("ml") != ["__init__.py", "runtime"] or present: sys.exit(f"too much in the image: {present}")' ||
    fail "the image holds more than what serves"

step "licenses and bundles in the image, as in the working tree"
# Of what git holds: the working tree may have face networks of its own.
for file in $(git ls-files LICENSE LICENSES 'models/*@*/*'); do
    "$engine" exec "$name" cat "/app/$file" | cmp - "$file" || fail "$file is not in the image as it is here"
    echo "same $file"
done

step "/docs and every file that it loads"
client docs || fail "/docs is not complete"

step "modalities"
modalities=$(client models) || fail "no models: $modalities"
echo "$modalities"
[ "$face" = 0 ] && expected="ecg fingerprint" || expected="ecg face fingerprint"
[ "$modalities" = "$expected" ] || fail "expected $expected"

step "enroll, verify, identify"
client enroll || fail "the person was not enrolled"
before=$(client recognize) || fail "not served: $before"
printf '%s\n' "$before"

step "pictures of nothing"
client refuse || fail "a picture of nothing was not refused"

step "activity"
newest=$(basename "$(printf '%s\n' models/activity@* | sort -V | tail -n 1)")
answer=$(client activity) || fail "not served: $answer"
printf '%s\n' "$answer"
printf '%s\n' "$answer" | grep -q "\"encoder\": \"$newest\"" || fail "the newest activity bundle, $newest, did not answer"

step "kill -9, a new container on the same volume, recognize again"
"$engine" kill --signal KILL "$name" >/dev/null
"$engine" rm --force "$name" >/dev/null
start
after=$(client recognize) || fail "not served: $after"
printf '%s\n' "$after"
[ "$(printf '%s\n' "$before" | outcomes)" = "$(printf '%s\n' "$after" | outcomes)" ] || fail "the scores changed"

step "SIGTERM"
began=$(date +%s)
"$engine" stop --time 20 "$name" >/dev/null
code=$("$engine" inspect --format '{{.State.ExitCode}}' "$name")
echo "stopped after $(($(date +%s) - began)) s, exit code $code"
[ "$code" = 0 ] || fail "it did not end in order"

step "proved"
