"""Checks the signatures of a webhook; reads it as JSON and prints which of them are right."""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError


def is_right(scheme, key, headers, body):
    """Whether one of the signatures of a scheme is that of a key."""
    if scheme == "v1":
        try:
            Webhook(key).verify(body, headers, json_parse=False)
            return True
        except WebhookVerificationError:
            return False
    public_key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_")))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    for signature in headers["webhook-signature"].split(" "):
        version, _, text = signature.partition(",")
        try:
            if version == scheme:
                public_key.verify(base64.b64decode(text), content)
                return True
        except InvalidSignature:
            pass
    return False


webhook = json.load(sys.stdin)
print(
    json.dumps(
        [
            is_right(scheme, key, webhook["headers"], webhook["body"])
            for scheme, key in webhook["keys"]
        ]
    )
)
