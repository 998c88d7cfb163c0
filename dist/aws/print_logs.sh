#!/usr/bin/env bash
# Print the log of the function, oldest line first; times are UTC.
#
#   bash print_logs.sh --function my-function [--minutes 60] [--request ID] [--follow] [--region us-east-1]
#   FUNCTION=my-function AWS_REGION=us-east-1 bash print_logs.sh
#
# --request prints the lines of one run (result.request_id); --follow goes on until Ctrl-C. Needs the AWS command line,
# of any version, and its credentials. In Python the same is Lambda(...).get_logs().
set -euo pipefail

fail() {
  echo "$1" >&2
  exit 1
}

function=${FUNCTION:-}
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
minutes=60
request=
follow=
while (($#)); do
  case $1 in
    --function) function=${2:?--function needs a value} && shift ;;
    --minutes) minutes=${2:?--minutes needs a value} && shift ;;
    --request) request=${2:?--request needs a value} && shift ;;
    --region) region=${2:?--region needs a value} && shift ;;
    --function=*) function=${1#*=} ;;
    --minutes=*) minutes=${1#*=} ;;
    --request=*) request=${1#*=} ;;
    --region=*) region=${1#*=} ;;
    --follow) follow=yes ;;
    *) fail "What is $1? The options are --function, --minutes, --request, --region and --follow." ;;
  esac
  shift
done

[[ -n $function ]] || fail "Name the function: FUNCTION=my-function bash print_logs.sh"
[[ $function =~ ^[A-Za-z0-9_-]{1,64}$ ]] || fail "$function cannot be the name of a function."
[[ $minutes =~ ^[0-9]{1,7}$ ]] || fail "--minutes is a whole number."
[[ $request =~ ^[A-Za-z0-9-]*$ ]] || fail "$request cannot be the id of a run."
aws --version >/dev/null 2>&1 || fail "There is no AWS command line here. Install it: pip install awscli"
[[ -z $region ]] || export AWS_DEFAULT_REGION=$region

as_time() {
  # Bash before 4.2 cannot; the machines that have it have BSD's date.
  TZ=UTC printf '%(%Y-%m-%d %H:%M:%S)T' "$1" 2>/dev/null || date -u -r "$1" '+%Y-%m-%d %H:%M:%S'
}

print_since() {
  # Sets `last` to the millisecond after the last line.
  local found time message
  found=$(aws logs filter-log-events --log-group-name "/aws/lambda/$function" --start-time "$last" \
    ${request:+--filter-pattern "\"$request\""} --query 'events[].[timestamp,message]' --output text) ||
    fail "The log of $function cannot be read: see above. It is there once the function is built."
  while IFS=$'\t' read -r time message; do
    if [[ $time =~ ^[0-9]{13}$ ]]; then
      printf '%s  %s\n' "$(as_time "$((time / 1000))")" "$message"
      ((time < last)) || last=$((time + 1))
    elif [[ -n $time && $time != None ]]; then
      printf '%21s%s\n' "" "$time${message:+ $message}"
    fi
  done <<<"$found"
}

last=$((($(date +%s) - minutes * 60) * 1000))
((last > 0)) || last=0
print_since
while [[ -n $follow ]]; do
  sleep 2
  print_since
done
