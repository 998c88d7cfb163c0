"""Numbers that AWS sets. Pure data, shared by the forms, the plan, the archives and the function.

Each comes from AWS's published quotas for Lambda, S3 and IAM, or from the service models in botocore.
"""

from __future__ import annotations

MEGABYTE = 1024 * 1024

#: Memory of a function, MB. botocore accepts more than Lambda does, so we check it ourselves.
MEMORY_MB = (128, 10_240)
#: Time limit of a function, seconds.
TIMEOUT_S = (1, 900)
#: Ephemeral storage (/tmp), MB.
EPHEMERAL_STORAGE_MB = (512, 10_240)
#: A code archive sent in the call itself, bytes. Larger ones go through a bucket.
DIRECT_ARCHIVE_BYTES = 50 * MEGABYTE
#: Larger objects are uploaded in parts of this many bytes: our choice inside S3's limits (5 MB to 5 GB a part).
MULTIPART_BYTES = 16 * MEGABYTE
#: The most objects that one DeleteObjects call takes (S3 API reference).
DELETED_OBJECTS = 1000
#: A function's code once extracted, layers included, bytes.
UNZIPPED_CODE_BYTES = 250 * MEGABYTE
#: A synchronous request, bytes.
SYNC_REQUEST_BYTES = 6 * MEGABYTE
#: A synchronous answer, bytes. AWS's own message names this number.
SYNC_RESPONSE_BYTES = 6_291_556
#: An asynchronous request, bytes.
ASYNC_REQUEST_BYTES = MEGABYTE
#: All environment variables of a function together, bytes.
ENVIRONMENT_BYTES = 4096
#: How many calls of one function may be reserved: AWS keeps 100 of an account's thousand for all others, and an
#: account may have been given more.
RESERVED_CONCURRENCY = (0, 100_000)
#: All inline policies of a role together, in characters without white space.
ROLE_POLICY_CHARACTERS = 10_240
#: Tags on one resource.
TAGS = 50
TAG_KEY_CHARACTERS = 128
TAG_VALUE_CHARACTERS = 256
#: Names.
ROLE_NAME_CHARACTERS = 64
BUCKET_NAME_CHARACTERS = (3, 63)

#: Runtimes we build for, newest last, with the end of AWS's support for them.
RUNTIMES = {"python3.11": "2027-06-30", "python3.12": "2028-10-31", "python3.13": "2029-06-30"}
#: Runtimes on Amazon Linux 2, whose C library (glibc 2.26) is older than the one the wheels need (2.28).
AMAZON_LINUX_2_RUNTIMES = ("python3.11",)
ARCHITECTURES = ("x86_64", "arm64")
#: What SnapStart takes (Lambda developer guide, "Improving startup performance with Lambda SnapStart").
SNAP_START_RUNTIMES = ("python3.12", "python3.13")
SNAP_START_STORAGE_MB = 512

#: Retention periods CloudWatch Logs accepts, days.
LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip

#: Regions in which a bucket cannot lie in the account's own namespace (S3 user guide, as of March 2026).
REGIONS_WITHOUT_BUCKET_NAMESPACE = ("me-south-1", "me-central-1")
