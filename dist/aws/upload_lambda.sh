#!/usr/bin/env bash
# Copy podpac_dist.zip and podpac_deps.zip to a bucket of yours.
#
#   BUCKET=my-bucket [DIR=directory] [AWS_REGION=us-east-1] bash upload_lambda.sh
#
# The objects are private: no ACL is set, and S3 keeps an object to its owner unless the bucket says otherwise.
# Uses the AWS command line where it is installed, else boto3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

: "${BUCKET:?Name the bucket: BUCKET=my-bucket bash upload_lambda.sh}"
prefix=${DIR:-}
prefix=${prefix#/}
prefix=${prefix%/}
prefix=${prefix:+$prefix/}

for archive in podpac_dist.zip podpac_deps.zip; do
  if [[ ! -f $archive ]]; then
    echo "There is no $archive here. Build it: bash build_lambda.sh" >&2
    exit 1
  fi
done

python=../../.venv/bin/python
[[ -x $python ]] || python=python3

for archive in podpac_dist.zip podpac_deps.zip; do
  if aws --version >/dev/null 2>&1; then
    aws ${AWS_REGION:+--region "$AWS_REGION"} s3 cp "$archive" "s3://$BUCKET/$prefix$archive"
  else
    "$python" -c 'import os, sys, boto3
boto3.client("s3", region_name=os.environ.get("AWS_REGION")).upload_file(*sys.argv[1:])' \
      "$archive" "$BUCKET" "$prefix$archive"
    echo "Uploaded $archive to s3://$BUCKET/$prefix$archive"
  fi
done

cat <<CALL

Lambda(
    function_source_bucket="$BUCKET",
    function_source_dist_key="${prefix}podpac_dist.zip",
    function_source_dependencies_key="${prefix}podpac_deps.zip",
)
CALL
