"""What the outcomes of an s3 check mean, and the least rights that it needs."""

from collections.abc import Mapping

from probe.model import Reason

REASONS: Mapping[Reason, str] = {
    Reason.AUTH: (
        "The keys are wrong or expired, a permission is missing (401, 403), no keys were found, or the clocks of this "
        "machine and of the store differ (RequestTimeTooSkewed)."
    ),
    Reason.PROTOCOL: "Not an S3: a web page, another service, no list where one is due.",
    Reason.UNHEALTHY: (
        "A bucket is missing; the store says no (500, 503 SlowDown); MinIO is offline (also when it says so only in a "
        "header, with status 200) or has too few drives for a write."
    ),
}

PERMISSIONS = """\
A policy for an access key of probe's own. Health and listing, on MinIO, AWS and most others:

    {
      "Version": "2012-10-17",
      "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::uploads", "arn:aws:s3:::backups"]}
      ]
    }

To watch all buckets (no `buckets`), add, and let s3:ListBucket hold for "arn:aws:s3:::*":

        {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets"], "Resource": ["arn:aws:s3:::*"]}

For the usage without listing, on MinIO (the second action is for the drives, too):

        {"Effect": "Allow", "Action": ["admin:DataUsageInfo", "admin:Prometheus"], "Resource": ["arn:aws:s3:::*"]}

For the usage without listing, on AWS:

        {"Effect": "Allow", "Action": ["cloudwatch:ListMetrics", "cloudwatch:GetMetricData"], "Resource": ["*"]}
"""
