#!/usr/bin/env bash
# Compares generated queries, random sessions, or random expressions with PostgreSQL for as many seeds and as long as you
# like, and prints the totals of each seed:
#   tests/seeds.sh queries --seeds 1..10 --count 20000 [--seconds 3600] [--binary target/release/fusewire]
#                         [--collect 30] [--report FILE] [--jobs 1]
# --binary is the engine that is asked; without it, the debug build that the tests make. --collect makes so many of a seed's
# failures small instead of stopping at the first; --report writes them to FILE.SEED. --jobs is how many seeds run at once.
# Ends with an error when a seed fails.
set -euo pipefail

usage() {
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

case ${1-} in
    queries) name=DIFFERENTIAL length=QUERIES test=differential::answers_are_postgresql_s count=20000 ;;
    sessions) name=SESSIONS length=SEQUENCES test=sessions::sessions_are_postgresql_s count=10000 ;;
    expressions) name=EXPRESSIONS length=COUNT test=expressions::random_expressions_are_postgresql_s count=20000 ;;
    *) usage ;;
esac
shift
seeds=1..1 seconds=86400 binary='' collect=0 report='' jobs=1
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
        --seeds) seeds=$2 ;;
        --count) count=$2 ;;
        --seconds) seconds=$2 ;;
        --binary) binary=$(realpath "$2") ;;
        --collect) collect=$2 ;;
        --report) report=$(realpath -m "$2") ;;
        --jobs) jobs=$2 ;;
        *) usage ;;
    esac
    shift 2
done
first=${seeds%%..*} last=${seeds##*..}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo test --locked --test it --no-run
export "FUSEWIRE_${name}_$length=$count" "FUSEWIRE_${name}_SECONDS=$seconds" "FUSEWIRE_${name}_COLLECT=$collect"
if [ -n "$binary" ]; then
    export FUSEWIRE_BINARY=$binary
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run_seed() {
    local seed=$1
    if [ -n "$report" ]; then
        export "FUSEWIRE_${name}_REPORT=$report.$seed"
    fi
    export "FUSEWIRE_${name}_SEED=$seed"
    if cargo test --locked --quiet --test it -- --exact "$test" --nocapture >"$logs/$seed" 2>&1; then
        touch "$logs/$seed.passed"
    fi
}

running=0
for seed in $(seq "$first" "$last"); do
    run_seed "$seed" &
    running=$((running + 1))
    if [ "$running" -ge "$jobs" ]; then
        wait -n
        running=$((running - 1))
    fi
done
wait

failed=0
for seed in $(seq "$first" "$last"); do
    if [ -e "$logs/$seed.passed" ]; then
        # The totals stand in the output once more when the test fails.
        sed -n '/^seed [0-9]*: compared/,/^$/p' "$logs/$seed"
    else
        failed=$((failed + 1))
        cat "$logs/$seed"
    fi
done
printf '%s seeds, %s failed\n' "$((last - first + 1))" "$failed"
[ "$failed" = 0 ]
