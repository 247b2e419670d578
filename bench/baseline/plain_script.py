"""What one would write first: TAXII pages into Elasticsearch's bulk helper. No state, no expiry, no revocation."""
import json
import re
import sys

from elasticsearch import Elasticsearch, helpers
from taxii2client.v21 import Collection, as_pages

VALUE = re.compile(r"^\[([\w-]+):([\w.'-]+) = '([^']*)'\]$")
FIELDS = {"ipv4-addr": "ip", "ipv6-addr": "ip", "domain-name": "url.domain", "url": "url.full", "email-addr": "email.address"}


def document(stix):
    indicator = {"id": stix["id"], "first_seen": stix["valid_from"], "modified_at": stix["modified"], "name": stix.get("name")}
    match = VALUE.match(stix["pattern"])
    if match:
        kind, path, value = match.groups()
        indicator["type"] = kind
        if kind == "file":
            indicator["file.hash." + path.split(".")[1].strip("'").replace("-", "").lower()] = value
        elif kind in FIELDS and ("/" not in value or kind == "url"):  # a network is no value of an ip field
            indicator[FIELDS[kind]] = value
    return {
        "@timestamp": stix["modified"],
        "event": {"kind": "enrichment", "category": ["threat"], "type": ["indicator"]},
        "threat": {"indicator": indicator},
        "tags": stix.get("labels", []),
    }


def actions(collection, index):
    for page in as_pages(collection.get_objects, per_request=1000):
        for stix in page.get("objects", []):
            if stix["type"] == "indicator":
                yield {"_index": index, "_id": stix["id"], "_source": document(stix)}


taxii_url, user, password, elastic_url, index = sys.argv[1:]
written, _ = helpers.bulk(Elasticsearch(elastic_url), actions(Collection(taxii_url, user=user, password=password), index))
print(json.dumps({"written": written}))
