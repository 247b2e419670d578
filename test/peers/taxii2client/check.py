"""check.py DISCOVERY_URL USER PASSWORD [--ca FILE] [--known NAME,NAME]

Checks a TAXII 2.1 server (a simulator, medallion, OpenTAXII) with the OASIS client (PyPI
taxii2-client): everything goes through its classes; where the client hides a header or a status,
its own HTTP session is used. The account needs one readable collection with at least 4 objects,
one an indicator, that it cannot write, and one empty collection that it can read and write.
--known: checks that this server is known to fail; they do not count.
"""
import argparse
import os
import re
import uuid

from requests.exceptions import HTTPError
from taxii2client.v21 import MEDIA_TYPE_TAXII_V21, Server, as_pages

from checklib import Checks, equal, raises, true

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"


def version(thing):
    return thing.get("modified", thing.get("created", ""))


def pairs(things):
    return [(thing["id"], version(thing)) for thing in things]


class Suite:
    def __init__(self, args):
        os.environ.pop("REQUESTS_CA_BUNDLE", None)  # would win over --ca
        os.environ.pop("CURL_CA_BUNDLE", None)
        self.args = args
        self.verify = args.ca or True
        self.server = Server(args.url, user=args.user, password=args.password, verify=self.verify)
        self.session = self.server._conn.session

    def get(self, url, accept=MEDIA_TYPE_TAXII_V21, **params):
        return self.session.get(url, params=params, headers={"Accept": accept})

    def refused(self, response, *statuses):
        true(response.status_code in statuses, "status %d, wanted %s" % (response.status_code, statuses))
        self.typed(response)

    def typed(self, response):
        equal(response.headers.get("Content-Type", "").replace(" ", ""), MEDIA_TYPE_TAXII_V21, "Content-Type")

    # each method named t_* is one check, run in the order written

    def t_wrong_password(self):
        other = Server(self.args.url, user=self.args.user, password="wrong", verify=self.verify)
        error = raises(HTTPError, lambda: other.title)
        equal(error.response.status_code, 401, "status")

    def t_challenge(self):
        answer = self.session.get(self.args.url, auth=("nobody", "wrong"), headers={"Accept": MEDIA_TYPE_TAXII_V21})
        equal(answer.status_code, 401, "status")
        true(answer.headers.get("WWW-Authenticate", "").lower().startswith("basic"), "no Basic challenge")

    def t_discovery(self):
        true(self.server.title, "no title")
        true(self.server.api_roots, "no api root")
        self.typed(self.get(self.args.url))

    def t_default_root(self):
        true(self.server.default is None or self.server.default.url in [root.url for root in self.server.api_roots], "default")

    def t_api_root(self):
        self.root = self.server.api_roots[0]
        true(self.root.title, "no title")
        true(MEDIA_TYPE_TAXII_V21 in [text.replace(" ", "") for text in self.root.versions], "versions %s" % self.root.versions)
        true(self.root.max_content_length > 0, "max_content_length")

    def t_unknown_root(self):
        self.refused(self.get(self.root.url.rstrip("/") + "-none/"), 404)

    def t_collections(self):
        self.collections = self.root.collections
        readable = [c for c in self.collections if c.can_read and not c.can_write]
        self.feed = next(c for c in readable if c.get_objects().get("objects"))
        self.box = next(c for c in self.collections if c.can_read and c.can_write)
        for one in self.collections:
            equal(uuid.UUID(one.id).version, 4, "UUID version of %s" % one.id)

    def t_collection_alone(self):
        for one in self.collections:
            again = self.get(one.url).json()
            equal((again["id"], again["can_read"], again["can_write"]), (one.id, one.can_read, one.can_write))

    def t_objects(self):
        self.all = []
        for page in as_pages(self.feed.get_objects, per_request=1000):
            self.all += page.get("objects", [])
        true(len(self.all) >= 4, "only %d objects" % len(self.all))
        equal(len(set(pairs(self.all))), len(self.all), "distinct objects")
        answer = self.get(self.feed.objects_url)
        self.typed(answer)
        true("type" not in answer.json(), "an envelope has no type")

    def t_spec_version(self):
        for thing in self.all:
            true(thing.get("spec_version", "2.1") in ("2.0", "2.1"), "%s: spec_version %r" % (thing["id"], thing["spec_version"]))

    def t_pages(self):
        got = []
        for page in as_pages(self.feed.get_objects, per_request=3):
            true(len(page.get("objects", [])) <= 3, "more than limit")
            got += page.get("objects", [])
        equal(pairs(got), pairs(self.all), "objects of all pages")

    def t_manifest(self):
        entries = []
        for page in as_pages(self.feed.get_manifest, per_request=1000):
            entries += page.get("objects", [])
        stamps = {(entry["id"], entry["version"][:19]): entry["date_added"] for entry in entries}
        equal(len(stamps), len(self.all), "entries")
        for entry in entries:
            true(STAMP.match(entry["date_added"]), "date_added %r" % entry["date_added"])
        # SCOs have no version of their own; equal times may come in any order
        single = {entry["id"]: entry["date_added"] for entry in entries}
        self.added = [stamps.get((thing["id"], version(thing)[:19]), single[thing["id"]]) for thing in self.all]
        equal(self.added, sorted(self.added), "date_added in the order of the objects")
        equal([entry["date_added"] for entry in entries], self.added, "date_added in the order of the manifest")

    def t_date_headers(self):
        answer = self.get(self.feed.objects_url, limit=2)
        equal((answer.headers.get(FIRST), answer.headers.get(LAST)), (self.added[0], self.added[1]), "headers")

    def t_added_after(self):
        middle = self.added[len(self.added) // 2]
        wanted = [pair for pair, stamp in zip(pairs(self.all), self.added) if stamp > middle]
        got = []
        for page in as_pages(self.feed.get_objects, per_request=1000, added_after=middle):
            got += page.get("objects", [])
        equal(pairs(got), wanted, "objects after %s" % middle)

    def t_added_after_last(self):
        answer = self.get(self.feed.objects_url, added_after=self.added[-1])
        equal(answer.status_code, 200, "status")
        equal(answer.json().get("objects", []), [], "objects")
        true(not answer.json().get("more"), "more")

    def t_last_header_resumes(self):
        if len(set(self.added)) < len(self.added):
            return  # only next can page through equal times
        got, after = [], None
        for _ in range(len(self.all) + 1):
            params = {"limit": 3}
            if after:
                params["added_after"] = after
            answer = self.get(self.feed.objects_url, **params)
            got += answer.json().get("objects", [])
            if not answer.json().get("more"):
                break
            after = answer.headers[LAST]
        equal(pairs(got), pairs(self.all), "objects")

    def t_match_type(self):
        kind = self.all[-1]["type"]
        got = [thing["type"] for thing in self.feed.get_objects(type=kind, limit=1000)["objects"]]
        equal(got, [kind] * len([thing for thing in self.all if thing["type"] == kind]), "types")

    def t_match_id(self):
        wanted = [self.all[0]["id"], self.all[-1]["id"]]
        got = [thing["id"] for thing in self.feed.get_objects(id=wanted)["objects"]]
        equal(got, wanted, "ids")

    def t_match_nothing(self):
        envelope = self.feed.get_objects(id="indicator--" + str(uuid.uuid4()))
        equal(envelope.get("objects", []), [], "objects")

    def t_object(self):
        thing = self.all[-1]
        equal(pairs(self.feed.get_object(thing["id"])["objects"]), pairs([thing]), "object")
        answer = self.get(self.feed.objects_url + "indicator--%s/" % uuid.uuid4())
        self.refused(answer, 404)

    def t_versions(self):
        answer = self.feed.object_versions(self.all[0]["id"])
        equal(len(answer["versions"]), 1, "versions")

    def t_limit_zero(self):
        self.refused(self.get(self.feed.objects_url, limit=0), 400)

    def t_limit_word(self):
        self.refused(self.get(self.feed.objects_url, limit="many"), 400)

    def t_added_after_word(self):
        self.refused(self.get(self.feed.objects_url, added_after="yesterday"), 400)

    def t_next_unknown(self):
        self.refused(self.get(self.feed.objects_url, limit=2, next="no-such-token"), 400, 404)

    def t_accept_without_version(self):
        equal(self.get(self.args.url, accept="application/taxii+json").status_code, 200, "status")

    def t_accept_other(self):
        self.refused(self.get(self.args.url, accept="text/html"), 406)

    def t_unknown_collection(self):
        self.refused(self.get(self.root.url + "collections/%s/objects/" % uuid.uuid4()), 404)

    def t_no_read(self):
        for one in self.collections:
            if not one.can_read:
                self.refused(self.get(one.objects_url), 403, 404)

    def post(self, url, body, content=MEDIA_TYPE_TAXII_V21):
        return self.session.post(url, json=body, headers={"Accept": MEDIA_TYPE_TAXII_V21, "Content-Type": content})

    def t_no_write(self):
        self.refused(self.post(self.feed.objects_url, {"objects": self.all[:1]}), 403, 404)

    def t_empty(self):
        equal(self.box.get_objects().get("objects", []), [], "objects")

    def t_add(self):
        stamp = "2026-01-02T00:00:00.000Z"
        who = "identity--%s" % uuid.uuid4()
        seen = [thing["id"] for thing in self.all if thing["type"] == "indicator"][-1]  # a sighting of an SRO is none
        common = {"spec_version": "2.1", "created": stamp, "modified": stamp}
        self.mine = [
            dict(common, type="identity", id=who, name="tester", identity_class="organization"),
            dict(common, type="sighting", id="sighting--%s" % uuid.uuid4(), created_by_ref=who, count=2,
                 sighting_of_ref=seen, last_seen=stamp, first_seen=stamp),
        ]
        self.status = self.box.add_objects({"objects": self.mine})
        equal((self.status.status, self.status.success_count, self.status.failure_count), ("complete", 2, 0), "status")
        equal(sorted(entry["id"] for entry in self.status.successes), sorted(thing["id"] for thing in self.mine), "successes")

    def t_add_answer(self):
        answer = self.post(self.box.objects_url, {"objects": [dict(self.mine[0], id="identity--%s" % uuid.uuid4())]})
        equal(answer.status_code, 202, "status")
        self.typed(answer)

    def t_status(self):
        equal(self.root.get_status(self.status.id).total_count, 2, "total_count")
        self.refused(self.get(self.root.url + "status/%s/" % uuid.uuid4()), 404)

    def t_added_are_there(self):
        got = {thing["id"]: thing for thing in self.box.get_objects()["objects"]}
        for thing in self.mine:
            equal({key: got[thing["id"]].get(key) for key in thing}, thing, "object")

    def t_add_again(self):
        again = self.box.add_objects({"objects": self.mine})
        equal((again.status, again.failure_count), ("complete", 0), "status")
        equal(len(self.box.get_objects()["objects"]), 3, "objects")

    def t_new_version(self):
        newer = dict(self.mine[1], modified="2026-01-03T00:00:00.000Z", count=3)
        equal(self.box.add_objects({"objects": [newer]}).success_count, 1, "success_count")
        equal([thing["count"] for thing in self.box.get_objects(id=newer["id"])["objects"]], [3], "newest")
        equal(len(self.box.get_objects(id=newer["id"], version="all")["objects"]), 2, "all versions")

    def t_add_without_modified(self):
        address = {"type": "ipv4-addr", "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", "value": "198.51.100.3"}
        equal(self.post(self.box.objects_url, {"objects": [address]}).status_code, 202, "status of an SCO")

    def t_post_wrong_type(self):
        self.refused(self.post(self.box.objects_url, {"objects": self.mine}, "text/plain"), 415)

    def t_post_no_objects(self):
        self.refused(self.post(self.box.objects_url, {}), 400, 422)

    def t_delete(self):
        self.box.delete_object(self.mine[0]["id"])
        self.refused(self.get(self.box.objects_url + self.mine[0]["id"] + "/"), 404)
        true(self.mine[0]["id"] not in [e["id"] for e in self.box.get_manifest().get("objects", [])], "still in the manifest")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("user")
    parser.add_argument("password")
    parser.add_argument("--ca")
    parser.add_argument("--known", default="")
    args = parser.parse_args()
    known = set(filter(None, args.known.split(",")))
    checks, quiet = Checks(), Checks()
    suite = Suite(args)
    for name in [name for name in vars(Suite) if name.startswith("t_")]:
        (quiet if name[2:] in known else checks).run(name[2:], getattr(suite, name))
    if quiet.passed:
        print("%d of the known failures passed" % quiet.passed)
    checks.finish()


if __name__ == "__main__":
    main()
