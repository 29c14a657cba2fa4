#!/bin/sh
# Make the database cluster, once; with a password asked of every connection by network.
set -eu
test ! -e "$PGDATA/PG_VERSION" || exit 0
initdb --username=hydra --pwfile=/password/database --auth-local=trust --auth-host=scram-sha-256
