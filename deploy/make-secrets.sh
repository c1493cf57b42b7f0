#!/bin/sh
# Draws the two secrets of docker-compose.yml into a folder, once: `make deploy-secrets`.
#
# Compose mounts each file as it is, and two different users read them in their containers: the service (uid 10001) and
# PostgreSQL. So the files are readable to all, and the folder, mode 700, keeps everybody else on this host away.
set -eu

folder=${DEPLOY_SECRETS_DIR:-secrets}

for name in master_keys database_password; do
    if [ -e "$folder/$name" ]; then
        echo "pulseprint: $folder/$name exists already; nothing was drawn (without its master key a database is useless)" >&2
        exit 1
    fi
done

umask 077
mkdir -p "$folder"
chmod 700 "$folder"
set -o noclobber
head -c 32 /dev/urandom | base64 >"$folder/master_keys"
head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$folder/database_password"
chmod 444 "$folder/master_keys" "$folder/database_password"
echo "pulseprint: drew $folder/master_keys and $folder/database_password; back the folder up, apart from the database"
