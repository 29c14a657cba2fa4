#!/bin/sh
# Make the database cluster, once; with a password asked of every pod, and with pgvector.
set -eu
test ! -e "$PGDATA/PG_VERSION" || exit 0
initdb --username=postgres --pwfile=/password/password --auth-local=trust --auth-host=scram-sha-256
echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
echo "CREATE EXTENSION vector;" | postgres --single postgres
