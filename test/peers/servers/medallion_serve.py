"""Configures and runs medallion (the OASIS TAXII 2.1 server) for tests. Called by medallion.ts.

Only configuration is ours: the server is the unmodified package. Its memory backend reads one
JSON file, which this script writes from STIX bundles.
"""
import argparse
import datetime
import json

FEED = "5c1f7f0a-3d0f-4b52-9a52-0a4a8f6f1c01"
SIGHTINGS = "5c1f7f0a-3d0f-4b52-9a52-0a4a8f6f1c02"
INBOX = "5c1f7f0a-3d0f-4b52-9a52-0a4a8f6f1c03"
CLOSED = "5c1f7f0a-3d0f-4b52-9a52-0a4a8f6f1c04"
STIX21 = "application/stix+json;version=2.1"


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def collection(ident, title, read, write, objects=(), manifest=()):
    return {
        "id": ident, "title": title, "can_read": read, "can_write": write,
        "media_types": [STIX21], "objects": list(objects), "manifest": list(manifest),
    }


def seed(bundles, start, group):
    """Objects in file order; `group` of them share one date_added, the next group comes 1 ms later."""
    objects, manifest = [], []
    for path in bundles:
        with open(path, encoding="utf-8") as source:
            loaded = json.load(source)
        for thing in loaded["objects"] if isinstance(loaded, dict) else loaded:
            added = stamp(start + datetime.timedelta(milliseconds=len(objects) // group))
            version = thing.get("modified", thing.get("created", added))
            if "modified" not in thing and "created" not in thing:
                thing["_date_added"] = version
            objects.append(thing)
            manifest.append({"id": thing["id"], "date_added": added, "version": version, "media_type": STIX21})
    return objects, manifest


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--page", type=int, default=100)
    parser.add_argument("--session", type=int, default=30)
    parser.add_argument("--group", type=int, default=1)
    parser.add_argument("--start", default="2026-01-05T10:00:00.000000Z")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("bundle", nargs="*")
    args = parser.parse_args()

    base = "%s://%s:%d" % ("https" if args.tls else "http", args.host, args.port)
    start = datetime.datetime.strptime(args.start, "%Y-%m-%dT%H:%M:%S.%fZ")
    objects, manifest = seed(args.bundle, start, args.group)
    data = {
        "/discovery": {
            "title": "medallion test peer", "default": base + "/api1/", "api_roots": [base + "/api1/"],
        },
        "api1": {
            "information": {
                "title": "api1", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 9765625,
            },
            "status": [],
            "collections": [
                collection(FEED, "feed, read only", True, False, objects, manifest),
                collection(SIGHTINGS, "sightings, read and write", True, True),
                collection(INBOX, "inbox, write only", False, True),
                collection(CLOSED, "closed", False, False),
            ],
        },
    }
    with open(args.dir + "/data.json", "w", encoding="utf-8") as out:
        json.dump(data, out)
    config = {
        "users": {args.user: args.password},
        "taxii": {"max_page_size": args.page},
        "backend": {
            "module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
            "filename": args.dir + "/data.json", "session_timeout": args.session,
        },
    }
    with open(args.dir + "/config.json", "w", encoding="utf-8") as out:
        json.dump(config, out)

    from medallion import load_app
    from werkzeug.serving import run_simple

    tls = (args.dir + "/server.pem", args.dir + "/server.key") if args.tls else None
    run_simple(args.host, args.port, load_app(args.dir + "/config.json"), threaded=True, ssl_context=tls)


if __name__ == "__main__":
    main()
