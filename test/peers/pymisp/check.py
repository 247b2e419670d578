"""check.py URL KEY [--ca FILE] [--read-key KEY] [--no-seed] [--known NAME,NAME]

Checks a MISP (a simulator, Modern MISP, a real one) with MISP's own Python client (PyPI pymisp).
Without --no-seed it first makes and publishes one event over the API; with it, the server must
already have a published event with that content (see `seed`). --known: checks that this server is
known to fail; they do not count.
"""
import argparse
import logging
import os
import time
import uuid

from pymisp import MISPAttribute, MISPEvent, MISPSighting, PyMISP
from pymisp.exceptions import PyMISPError

from checklib import Checks, equal, raises, true

EVENT = "9f1d4a52-6f0c-4a53-9f3f-5b2d0c1a0e00"
ATTRIBUTES = (
    ("9f1d4a52-6f0c-4a53-9f3f-5b2d0c1a0e01", "ip-dst", "198.51.100.77", True),
    ("9f1d4a52-6f0c-4a53-9f3f-5b2d0c1a0e02", "domain", "evil.example.org", True),
    ("9f1d4a52-6f0c-4a53-9f3f-5b2d0c1a0e03", "ip-dst|port", "198.51.100.78|443", True),
    ("9f1d4a52-6f0c-4a53-9f3f-5b2d0c1a0e04", "ip-dst", "198.51.100.79", False),
)


class Unversioned(PyMISP):
    """For a server without pymisp_recommended_version, to which PyMISP refuses to connect."""

    @property
    def recommended_pymisp_version(self):
        return {"errors": ["not asked"]}


class Suite:
    def __init__(self, args):
        self.args = args
        self.client = Unversioned if "pymisp_version" in args.known else PyMISP
        self.misp = self.client(args.url, args.key, ssl=args.ca or True)

    def seed(self):
        event = MISPEvent()
        event.uuid, event.info, event.distribution, event.analysis, event.threat_level_id = EVENT, "seed", 3, 2, 1
        for ident, kind, value, to_ids in ATTRIBUTES:
            event.add_attribute(kind, value, uuid=ident, to_ids=to_ids, category="Network activity", distribution=5)
        made = self.misp.add_event(event)
        true("Event" in made, "add_event: %s" % made)
        for ident, kind, value, to_ids in ATTRIBUTES:
            if ident not in [a.get("uuid") for a in made["Event"].get("Attribute", [])]:
                attribute = MISPAttribute()
                attribute.from_dict(uuid=ident, type=kind, value=value, to_ids=to_ids, category="Network activity")
                self.misp.add_attribute(made["Event"]["id"], attribute)
        self.misp.publish(made["Event"]["id"])

    def attributes(self, **query):
        answer = self.misp.search(controller="attributes", **query)
        true("Attribute" in answer, "answer %s" % str(answer)[:200])
        return {a["uuid"]: a for a in answer["Attribute"]}

    def raw(self, path, **body):
        return self.misp._prepare_request("POST", path, data=body)

    # each method named t_* is one check, run in the order written

    def t_wrong_key(self):
        raises(PyMISPError, lambda: self.client(self.args.url, "x" * 40, ssl=self.args.ca or True))

    def t_wrong_key_status(self):
        answer = self.misp._prepare_request("GET", "servers/getVersion")
        equal(answer.status_code, 200, "status")
        self.misp._PyMISP__session.headers["Authorization"] = "x" * 40
        try:
            answer = self.misp._prepare_request("GET", "servers/getVersion")
        finally:
            self.misp._PyMISP__session.headers["Authorization"] = self.args.key
        equal(answer.status_code, 403, "status")
        true(answer.json()["message"], "no message")

    def t_version(self):
        answer = self.misp.misp_instance_version
        true(len(answer["version"].split(".")) == 3, "version %s" % answer)
        for name in ("perm_sync", "perm_sighting"):
            true(isinstance(answer[name], bool), "%s: %r" % (name, answer.get(name)))

    def t_pymisp_version(self):
        true(PyMISP.recommended_pymisp_version.fget(self.misp)["version"].count(".") >= 2, "no version")

    def t_types(self):
        true("ip-dst" in self.misp.describe_types_remote["types"], "no type ip-dst")

    def t_by_uuid(self):
        got = self.attributes(uuid=ATTRIBUTES[0][0])[ATTRIBUTES[0][0]]
        equal((got["type"], got["value"], got["category"]), ("ip-dst", "198.51.100.77", "Network activity"))
        true(str(got["timestamp"]).isdigit(), "timestamp %r" % got["timestamp"])
        true(isinstance(got["to_ids"], bool), "to_ids %r" % got["to_ids"])
        equal(got["Event"]["uuid"], EVENT, "Event.uuid")

    def t_by_value(self):
        equal(list(self.attributes(value="evil.example.org")), [ATTRIBUTES[1][0]])

    def t_by_half_of_a_pair(self):
        equal(list(self.attributes(value="198.51.100.78")), [ATTRIBUTES[2][0]])

    def t_by_type(self):
        kinds = {a["type"] for a in self.attributes(type_attribute="domain", eventid=EVENT).values()}
        equal(kinds, {"domain"})

    def t_by_types(self):
        got = self.attributes(type_attribute=["domain", "ip-dst|port"], uuid=[a[0] for a in ATTRIBUTES])
        equal(sorted(got), [ATTRIBUTES[1][0], ATTRIBUTES[2][0]])

    def t_to_ids(self):
        equal(sorted(self.attributes(to_ids=1, uuid=[a[0] for a in ATTRIBUTES])), [a[0] for a in ATTRIBUTES[:3]])
        equal(sorted(self.attributes(to_ids=0, uuid=[a[0] for a in ATTRIBUTES])), [ATTRIBUTES[3][0]])

    def t_published(self):
        equal(len(self.attributes(published=True, uuid=[a[0] for a in ATTRIBUTES])), 4)
        equal(len(self.attributes(published=False, uuid=[a[0] for a in ATTRIBUTES])), 0)

    def t_timestamp(self):
        got = int(self.attributes(uuid=ATTRIBUTES[0][0])[ATTRIBUTES[0][0]]["timestamp"])
        equal(len(self.attributes(uuid=ATTRIBUTES[0][0], timestamp=got)), 1, "since its own time")
        equal(len(self.attributes(uuid=ATTRIBUTES[0][0], timestamp=got + 1)), 0, "later")

    def t_publish_timestamp(self):
        equal(len(self.attributes(uuid=ATTRIBUTES[0][0], publish_timestamp=1)), 1)
        equal(len(self.attributes(uuid=ATTRIBUTES[0][0], publish_timestamp=int(time.time()) + 3600)), 0)

    def t_unknown_value(self):
        equal(self.attributes(value="not-there.example.org"), {})

    def t_pages(self):
        got = []
        for page in (1, 2, 3, 4, 5):
            got += list(self.attributes(uuid=[a[0] for a in ATTRIBUTES], limit=2, page=page))
        equal(sorted(got), [a[0] for a in ATTRIBUTES], "each once")

    def t_result_count(self):
        answer = self.raw("attributes/restSearch", uuid=[a[0] for a in ATTRIBUTES], limit=2, page=1)
        equal(answer.headers.get("X-Result-Count"), "3", "full page")
        answer = self.raw("attributes/restSearch", uuid=[a[0] for a in ATTRIBUTES], limit=3, page=2)
        equal(answer.headers.get("X-Result-Count"), "1", "short page")

    def t_pythonify(self):
        got = self.misp.search(controller="attributes", uuid=ATTRIBUTES[0][0], pythonify=True)
        equal((got[0].value, got[0].Event.uuid), ("198.51.100.77", EVENT))

    def t_events(self):
        got = self.misp.search(controller="events", uuid=EVENT)
        equal(len(got), 1, "events")
        equal(sorted(a["uuid"] for a in got[0]["Event"]["Attribute"]), [a[0] for a in ATTRIBUTES])

    def t_event_metadata(self):
        got = self.misp.search(controller="events", uuid=EVENT, metadata=True)
        equal((len(got), got[0]["Event"].get("Attribute", [])), (1, []))

    def t_index(self):
        got = self.misp.search_index(eventid=EVENT)
        equal([e["uuid"] for e in got], [EVENT])
        true(got[0]["Orgc"]["uuid"], "Orgc.uuid")

    def t_index_minimal(self):
        row = next(e for e in self.misp.search_index(minimal=True) if e["uuid"] == EVENT)
        true(row["timestamp"] and row["orgc_uuid"], "row %s" % row)

    def t_get_event(self):
        event = self.misp.get_event(EVENT, pythonify=True)
        equal((event.uuid, event.info, len(event.attributes)), (EVENT, "seed", 4))
        true(event.Orgc.name, "Orgc.name")

    def t_get_unknown_event(self):
        equal(self.misp.get_event(str(uuid.uuid4()))["errors"][0], 404)

    def sight(self, **what):
        sighting = MISPSighting()
        sighting.from_dict(**what)
        return sighting

    def t_sighting(self):
        attribute = self.misp.get_attribute(ATTRIBUTES[0][0], pythonify=True)
        before = len(self.misp.sightings(attribute))
        got = self.misp.add_sighting(self.sight(type="0", source="entente"), ATTRIBUTES[0][0])
        equal(got["Sighting"]["type"], "0", "type")
        rows = self.misp.sightings(attribute, pythonify=True)
        equal(len(rows), before + 1, "sightings of the attribute")

    def t_sighting_by_uuid_in_body(self):
        true("Sighting" in self.misp.direct_call("sightings/add", {"uuid": ATTRIBUTES[1][0], "type": "1"}), "no Sighting")

    def t_sighting_by_value(self):
        got = self.misp.add_sighting(self.sight(values=["198.51.100.77"], type="0", timestamp=int(time.time()) - 60))
        true("Sighting" in got, str(got))

    def t_sighting_of_nothing(self):
        answer = self.raw("sightings/add", values=["not-there.example.org"], type="0")
        equal(answer.status_code, 200, "status")
        true("Sighting" not in answer.json() and "Could not add" in answer.json()["message"], "body %s" % answer.text[:200])

    def t_sightings_search(self):
        rows = self.misp.search_sightings(context="attribute", context_id=ATTRIBUTES[1][0], type_sighting="1")
        true(rows and all(row["Sighting"]["type"] == "1" for row in rows), "rows %s" % str(rows)[:200])

    def t_sightings_bulk(self):
        row = {
            "uuid": str(uuid.uuid4()), "attribute_uuid": ATTRIBUTES[2][0], "date_sighting": int(time.time()),
            "type": "0", "source": "",
        }
        equal(self.misp.direct_call("sightings/bulkSaveSightings/" + EVENT, [row])["saved"], True, "first time")
        equal(self.misp.direct_call("sightings/bulkSaveSightings/" + EVENT, [row])["saved"], False, "second time")

    def t_read_key(self):
        if self.args.read_key:
            reader = self.client(self.args.url, self.args.read_key, ssl=self.args.ca or True)
            true("Attribute" in reader.search(controller="attributes", uuid=ATTRIBUTES[0][0]), "cannot read")
            equal(reader.add_sighting(self.sight(type="0"), ATTRIBUTES[0][0])["errors"][0], 403)

    def t_warninglists(self):
        for row in self.misp.warninglists():
            true(row["Warninglist"]["name"], "row %s" % row)

    def t_values_in_warninglist(self):
        answer = self.misp.values_in_warninglist(["198.51.100.77"])
        true(isinstance(answer, (dict, list)) and "errors" not in answer, str(answer))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("--ca")
    parser.add_argument("--read-key")
    parser.add_argument("--no-seed", action="store_true")
    parser.add_argument("--known", default="")
    args = parser.parse_args()
    os.environ.pop("REQUESTS_CA_BUNDLE", None)
    os.environ.pop("CURL_CA_BUNDLE", None)
    logging.getLogger("pymisp").setLevel(logging.CRITICAL + 1)
    known = set(filter(None, args.known.split(",")))
    checks, quiet = Checks(), Checks()
    suite = checks.run("connect", Suite, args)
    if suite is not None:
        if not args.no_seed:
            checks.run("seed", suite.seed)
        for name in [name for name in vars(Suite) if name.startswith("t_")]:
            (quiet if name[2:] in known else checks).run(name[2:], getattr(suite, name))
        if quiet.passed:
            print("%d of the known failures passed" % quiet.passed)
    checks.finish()


if __name__ == "__main__":
    main()
