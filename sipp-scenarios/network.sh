# Sourced by the scripts that try the real program from outside: sipp-scenarios/run and tests/softphone/run.
#
# It copies a configuration to loopback addresses that nobody uses, so that two runs at once do not meet, and starts and stops
# the program by its process id. Linux only: all of 127.0.0.0/8 must be there without being configured.
#
#   choose_addresses            sets NET (three octets, such as 127.93.7) and SIP_PORT, TRUNK_PORT
#   move_network FROM TO        copies a configuration; 127.0.0.N becomes $NET.N, and the ports as chosen
#   start_hotdesk NAME ARG...   one process; returns when it says `ready`
#   stop_hotdesk                all of them, by SIGTERM
#   wait_for SECONDS COMMAND... until the command succeeds
#   listens ADDRESS PORT        whether somebody has that UDP socket
#
# Expected from outside: HOTDESK (the program), WORK (a folder of this run).

servers=()

find_hotdesk() { # [PATH]: the path given, else $HOTDESK, else what was built last, release before debug
  local here=$1 given=${2:-${HOTDESK:-}} target
  target=${CARGO_TARGET_DIR:-$here/target}
  if [ -n "$given" ]; then
    HOTDESK=$given
  elif [ -x "$target/release/hotdesk" ]; then
    HOTDESK=$target/release/hotdesk
  else
    HOTDESK=$target/debug/hotdesk
  fi
  if [ ! -x "$HOTDESK" ]; then
    echo "no program at $HOTDESK: build it (cargo build --release), or name it: $0 PATH" >&2
    return 1
  fi
  HOTDESK=$(realpath "$HOTDESK")
}

in_use() { grep -Eqi "$1" /proc/net/udp /proc/net/udp6 /proc/net/tcp 2>/dev/null; }

choose_addresses() {
  local b c shift
  while :; do
    b=$((RANDOM % 200 + 20)) c=$((RANDOM % 250 + 2))
    # The kernel writes 127.B.C.N backwards, in hexadecimal.
    in_use "$(printf ' [0-9A-F]{2}%02X%02X7F:' "$c" "$b")" || break
  done
  NET=127.$b.$c
  # A socket bound to all addresses is in the way of ours.
  for shift in 0 1000 2000 3000; do
    SIP_PORT=$((5060 + shift)) TRUNK_PORT=$((5080 + shift))
    in_use "$(printf ' 0+:(%04X|%04X) ' "$SIP_PORT" "$TRUNK_PORT")" || return 0
  done
  echo "ports 5060 and 5080 and those 1000, 2000 and 3000 above are taken on all addresses" >&2
  return 1
}

move_network() {
  cp -r "$1" "$2"
  find "$2" -name '*.toml' -exec sed -i -E \
    -e "s/127\.0\.0\.([0-9]+):5060/$NET.\1:$SIP_PORT/g" \
    -e "s/127\.0\.0\.([0-9]+):5080/$NET.\1:$TRUNK_PORT/g" \
    -e "s/127\.0\.0\.([0-9]+):/$NET.\1:/g" {} +
}

wait_for() {
  local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
  shift
  until "$@"; do
    [ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
    sleep 0.02
  done
}

listens() {
  local o
  IFS=. read -ra o <<<"$1"
  grep -qi "$(printf ' %02X%02X%02X%02X:%04X ' "${o[3]}" "${o[2]}" "${o[1]}" "${o[0]}" "$2")" /proc/net/udp
}

alive() { kill -0 "$1" 2>/dev/null; }

ready_or_dead() { grep -q '^ready' "$WORK/$1.out" || ! alive "$2"; }

# Each site greets the others, and says so, as soon as it is up; calls before that would find the link down.
start_hotdesk() {
  local name=$1 pid
  shift
  : >"$WORK/$name.out"
  "$HOTDESK" "$@" >>"$WORK/$name.out" 2>"$WORK/$name.err" &
  pid=$!
  servers+=("$pid")
  wait_for 15 ready_or_dead "$name" "$pid"
  if ! grep -q '^ready' "$WORK/$name.out" || ! alive "$pid"; then
    echo "hotdesk $* did not start:" >&2
    tail -5 "$WORK/$name.err" >&2
    return 1
  fi
}

stop_hotdesk() {
  local pid
  for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${servers[@]}"; do
    wait_for 5 dead "$pid" || kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  servers=()
}

# A process that has ended and is not yet waited for answers signals: its state is Z.
dead() { ! alive "$1" || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
