"""Make the bucket of the artifacts, unless it is there."""

from __future__ import annotations

import os

import boto3

store = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
try:
    store.create_bucket(Bucket="mlflow")
except (store.exceptions.BucketAlreadyExists, store.exceptions.BucketAlreadyOwnedByYou):
    print("The bucket is there.")
