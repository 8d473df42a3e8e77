"""Signing S3 requests (AWS Signature Version 4), for the tests' own access to a store."""
import datetime
import hashlib
import hmac
import urllib.parse

REGION = "us-east-1"
UNSIGNED = "UNSIGNED-PAYLOAD"


def signed_headers(method, url, access_key, secret_key, payload=UNSIGNED, moment=None):
    """The headers that authorise a request to a URL, which must be percent-encoded already.

    `payload` is the body's SHA-256 in hexadecimal, or UNSIGNED.
    """
    address = urllib.parse.urlsplit(url)
    stamp = (moment or datetime.datetime.now(datetime.timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": address.netloc, "x-amz-content-sha256": payload, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    pairs = sorted(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
    query = "&".join(f"{urllib.parse.quote(name, safe='~')}={urllib.parse.quote(value, safe='~')}" for name, value in pairs)
    canonical = "\n".join(
        [method, address.path or "/", query] + [f"{name}:{headers[name]}" for name in sorted(headers)] + ["", names, payload])
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return headers
