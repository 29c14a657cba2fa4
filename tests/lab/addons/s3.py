"""Calls to the add-on objects by boto3, from inside the cluster.

boto3 and the Kubernetes client exclude each other (python-dateutil), so the calls run in
the pod of the add-on mlflow, whose image has boto3.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from lab import keys
from tests.lab.addons.traffic import inside_python
from tests.lab.live.space import read

CALL = """
import json, boto3, botocore.exceptions
client = boto3.client(
    "s3",
    endpoint_url="http://s3.objects.svc:8333",
    region_name="us-east-1",
    aws_access_key_id={user!r},
    aws_secret_access_key={key!r},
)
try:
    answer = client.{method}(**{arguments!r})
except botocore.exceptions.ClientError as error:
    answer = {{"refused": error.response["Error"]["Code"]}}
if "Body" in answer:
    answer["Body"] = answer["Body"].read().decode()
print(json.dumps(answer, default=str))
"""


def key_of(user: str) -> str:
    """Return the secret key of `writer` or `reader`, as a user of the lab finds it, or of `mlflow`."""
    if user == "mlflow":
        return keys.key("objects-mlflow")
    return base64.b64decode(read("secret", user, "objects")["data"]["AWS_SECRET_ACCESS_KEY"]).decode()


def call(user: str, method: str, *, key: str = "", **arguments: object) -> dict[str, Any]:
    """Return the answer to a call of boto3's S3 client, or `refused` with the code of the error."""
    program = CALL.format(user=user, key=key or key_of(user), method=method, arguments=arguments)
    answer: dict[str, Any] = json.loads(inside_python("mlflow", "deployment/mlflow", program))
    return answer
