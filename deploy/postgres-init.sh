#!/bin/sh
# The server's own role: no superuser, so that row-level security binds it.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$BOTWRIGHT_PASSWORD" --username postgres <<'SQL'
CREATE ROLE botwright LOGIN PASSWORD :'password';
CREATE DATABASE botwright OWNER botwright;
SQL
