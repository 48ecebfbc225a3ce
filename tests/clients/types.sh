#!/usr/bin/env bash
# Has clients write and read every type with their own values against a server and against PostgreSQL 15, and prints the
# steps that differ:
#   tests/clients/types.sh [--binary target/debug/fusewire] [--clients asyncpg,psycopg,node,jdbc] [--postgresql HOST:PORT:USER:DATABASE]
#                          [--keep DIRECTORY] [TYPE…]
# Without --postgresql it starts a PostgreSQL 15 of its own; --keep keeps what the clients printed; a TYPE is one of
# values.tsv, or with [] or [][] behind it. The clients are installed where nobody else has them (psycopg and asyncpg from
# the index of Python's packages, pg from that of npm); for pgJDBC it needs Java 17 and Debian's libpostgresql-jdbc-java.
# Ends with an error if a step differs that types/known.tsv does not name.
set -euo pipefail

usage() {
    sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
types=$root/tests/clients/types
binary=$root/target/debug/fusewire clients=asyncpg,psycopg,node,jdbc postgresql='' keep=''
while [[ ${1-} == --* ]]; do
    [ $# -ge 2 ] || usage
    case $1 in
        --binary) binary=$(realpath "$2") ;;
        --clients) clients=$2 ;;
        --postgresql) postgresql=$2 ;;
        --keep) mkdir -p "$2" && keep=$(realpath "$2") ;;
        *) usage ;;
    esac
    shift 2
done
[ -x "$binary" ] || fail "$binary is missing; cargo build makes it, --binary names another one"

tools=${XDG_CACHE_HOME:-$HOME/.cache}/fusewire-clients
work=$(mktemp -d)
server='' oracle=''
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$oracle" ] || kill -QUIT "$oracle" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' INT TERM

# The clients.
mkdir -p "$tools"
if [[ ,$clients, == *,asyncpg,* || ,$clients, == *,psycopg,* ]]; then
    python=$tools/python/bin/python
    if ! "$python" -c 'import asyncpg, psycopg' 2>/dev/null; then
        python3 -m venv --clear "$tools/python" || fail 'python3 -m venv is needed: apt-get install python3 python3-venv'
        "$python" -m pip install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.*' 'asyncpg==0.32.*' ||
            fail 'psycopg and asyncpg could not be installed (PIP_INDEX_URL names another index)'
    fi
fi
if [[ ,$clients, == *,node,* ]]; then
    command -v node >/dev/null || fail 'node is missing: apt-get install nodejs npm'
    if [ ! -d "$tools/node/node_modules/pg" ]; then
        npm install --silent --no-fund --no-audit --prefix "$tools/node" pg@8 || fail 'npm could not install pg'
    fi
fi
if [[ ,$clients, == *,jdbc,* ]]; then
    jar=${PGJDBC_JAR:-/usr/share/java/postgresql.jar}
    command -v javac >/dev/null || fail 'a JDK is missing: apt-get install openjdk-17-jdk-headless'
    [ -f "$jar" ] || fail "$jar is missing: apt-get install libpostgresql-jdbc-java, or name one in PGJDBC_JAR"
    javac -d "$work/java" -cp "$jar" "$types/JdbcTypes.java"
fi

# The servers.
wait_for() {
    for _ in $(seq 200); do
        if grep -q "$1" "$2"; then
            return
        fi
        sleep 0.1
    done
    cat "$2" >&2
    fail "a server does not start"
}

if [ -z "$postgresql" ]; then
    programs=/usr/lib/postgresql/15/bin
    [ -x "$programs/initdb" ] || programs=$(dirname "$(command -v initdb || true)")
    [ -x "$programs/initdb" ] || fail 'PostgreSQL 15 is missing: apt-get install postgresql-15'
    as=()
    if [ "$(id -u)" = 0 ]; then
        as=(setpriv --reuid=postgres --regid=postgres --init-groups)
        chown postgres "$work"
    fi
    (cd / && "${as[@]}" "$programs/initdb" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync \
        -D "$work/cluster" >"$work/initdb.log" 2>&1) || { cat "$work/initdb.log" >&2 && fail 'initdb failed'; }
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    (cd / && exec "${as[@]}" "$programs/postgres" -D "$work/cluster" -k "$work" -c listen_addresses=127.0.0.1 \
        -c "port=$port" -c fsync=off) >"$work/postgres.log" 2>&1 &
    oracle=$!
    wait_for 'ready to accept connections' "$work/postgres.log"
    postgresql=127.0.0.1:$port:postgres:postgres
fi
"$binary" serve --port 0 --data-dir "$work/data" >"$work/server.log" &
server=$!
wait_for 'listening on' "$work/server.log"
port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$work/server.log" | head -n 1)

# What each client says of a server at HOST:PORT:USER:DATABASE.
say() {
    local host port user database
    IFS=: read -r host port user database <<<"$1"
    shift
    if [[ ,$clients, == *,psycopg,* ]]; then
        "$python" "$types/psycopg_types.py" "host=$host port=$port user=$user dbname=$database" "$@"
    fi
    if [[ ,$clients, == *,asyncpg,* ]]; then
        "$python" "$types/asyncpg_types.py" "$host" "$port" "$user" "$database" "$@"
    fi
    if [[ ,$clients, == *,node,* ]]; then
        NODE_PATH=$tools/node/node_modules node "$types/node_types.js" "postgres://$user@$host:$port/$database" "$@"
    fi
    if [[ ,$clients, == *,jdbc,* ]]; then
        TZ=UTC java -cp "$work/java:$jar" JdbcTypes "$host" "$port" "$user" "$database" "$types" "$@"
    fi
}

export TZ=UTC
say "$postgresql" "$@" >"$work/postgresql.jsonl"
say "127.0.0.1:$port:ada:fusewire" "$@" >"$work/ours.jsonl"
[ -z "$keep" ] || cp "$work/ours.jsonl" "$work/postgresql.jsonl" "$keep"
python3 "$types/compare.py" --known "$types/known.tsv" "$work/ours.jsonl" "$work/postgresql.jsonl"
