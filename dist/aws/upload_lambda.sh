#!/usr/bin/env bash
# Copy podpac_dist.zip and podpac_deps.zip to a bucket of yours, and print the Lambda(...) call that uses them.
#
#   bash upload_lambda.sh --bucket my-bucket [--dir directory] [--region us-east-1]
#   BUCKET=my-bucket DIR=directory AWS_REGION=us-east-1 bash upload_lambda.sh
#
# The objects are private: no ACL is set, and S3 keeps an object to its owner unless the bucket says otherwise. The
# bucket must be in the region of the function. Needs the AWS command line, of any version, and its credentials.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() {
  echo "$1" >&2
  exit 1
}

bucket=${BUCKET:-}
directory=${DIR:-}
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
while (($#)); do
  case $1 in
    --bucket) bucket=${2:?--bucket needs a value} && shift ;;
    --dir) directory=${2?--dir needs a value} && shift ;;
    --region) region=${2:?--region needs a value} && shift ;;
    --bucket=*) bucket=${1#*=} ;;
    --dir=*) directory=${1#*=} ;;
    --region=*) region=${1#*=} ;;
    *) fail "What is $1? The options are --bucket, --dir and --region." ;;
  esac
  shift
done

[[ -n $bucket ]] || fail "Name the bucket: BUCKET=my-bucket bash upload_lambda.sh"
# What S3 lets a bucket be called (S3 User Guide, "General purpose bucket naming rules").
[[ $bucket =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ && $bucket != *..* ]] ||
  fail "$bucket cannot be the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens."
directory=${directory#/}
directory=${directory%/}
# What the deployment takes as a key, too.
[[ $directory =~ ^[A-Za-z0-9_./-]*$ && $directory != *..* && $directory != *//* ]] ||
  fail "$directory cannot be the folder: letters, digits, - _ . and / only, without .. or //."
prefix=${directory:+$directory/}

for archive in podpac_dist.zip podpac_deps.zip; do
  [[ -f $archive ]] || fail "There is no $archive here. Build it: bash build_lambda.sh"
done

aws --version >/dev/null 2>&1 || fail "There is no AWS command line here. Install it: pip install awscli"
[[ -z $region ]] || export AWS_DEFAULT_REGION=$region
# A bucket of others or of another region is told before anything is sent; "None" is us-east-1.
if found=$(aws s3api get-bucket-location --bucket "$bucket" --query LocationConstraint --output text 2>&1); then
  [[ $found != None ]] || found=us-east-1
  [[ -z $region || $found == "$region" ]] ||
    fail "The bucket $bucket is in $found, not in $region. A function takes its code from a bucket in its own region."
elif [[ $found == *AccessDenied* ]]; then
  # Who may write need not be allowed to ask; the upload shows it.
  found=$region
else
  fail "The bucket $bucket cannot be used: $found"
fi

public=$(aws s3api get-bucket-policy-status --bucket "$bucket" --query PolicyStatus.IsPublic --output text 2>/dev/null) ||
  public=
[[ $public != True ]] || echo "Beware: the policy of $bucket lets anybody read it, these archives too." >&2

for archive in podpac_dist.zip podpac_deps.zip; do
  aws s3 cp --no-progress "$archive" "s3://$bucket/$prefix$archive"
done

session=
[[ -z $found ]] || session="    session=connect(region_name=\"$found\"),"$'\n'
cat <<CALL

Lambda(
${session}    function_source_bucket="$bucket",
    function_source_dist_key="${prefix}podpac_dist.zip",
    function_source_dependencies_key="${prefix}podpac_deps.zip",
)
CALL
