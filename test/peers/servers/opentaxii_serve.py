"""Configures and runs OpenTAXII (EclecticIQ) in TAXII 2.1 mode for tests. Called by opentaxii.ts.

The server is the package with its SQLite back end, filled through its own classes. One change is
needed: 0.9.3 hands out database ids as UUID objects, which its own JSON output then refuses
(HTTP 500 on collections and POST) and its own rights check does not find. `text_ids` makes them
text. Rights are written to the account row, because the account API only knows those of TAXII 1.
"""
import argparse
import json
import os
import uuid

ROOT = "7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c00"
FEED = "7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c01"
SIGHTINGS = "7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c02"
INBOX = "7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c03"
CLOSED = "7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c04"
GRANTS = {FEED: ["read"], SIGHTINGS: ["read", "write"], INBOX: ["write"]}


def text_ids():
    from opentaxii.persistence.sqldb import common

    original = common.GUID.process_result_value
    common.GUID.process_result_value = lambda self, value, dialect: (
        None if value is None else str(original(self, value, dialect))
    )


def fill(app, args):
    from opentaxii.auth.sqldb.models import Account
    from opentaxii.persistence.sqldb import taxii2models

    server = app.taxii_server
    api = server.servers.taxii2.persistence.api
    server.auth.api.create_account(username=args.user, password=args.password)
    server.auth.api.create_account(username="guest", password=args.password)
    accounts = server.auth.api.db.session
    accounts.query(Account).filter_by(username=args.user).one()._permissions = json.dumps(GRANTS)
    accounts.commit()
    session = api.db.session
    session.add(taxii2models.ApiRoot(id=uuid.UUID(ROOT), default=True, title="api root", is_public=False))
    for ident, title in {FEED: "feed", SIGHTINGS: "sightings", INBOX: "inbox", CLOSED: "closed"}.items():
        session.add(taxii2models.Collection(
            id=uuid.UUID(ident), api_root_id=uuid.UUID(ROOT), title=title, alias=title,
            is_public=False, is_public_write=False,
        ))
    session.commit()
    for path in args.bundle:
        with open(path, encoding="utf-8") as source:
            loaded = json.load(source)
        objects = loaded["objects"] if isinstance(loaded, dict) else loaded
        # OpenTAXII 0.9.3 cannot store an object without `modified` (marking definitions, SCOs).
        api.add_objects(
            api_root_id=ROOT, collection_id=FEED, objects=[thing for thing in objects if "modified" in thing],
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("bundle", nargs="*")
    args = parser.parse_args()

    for name in ("auth.db", "data.db"):
        if os.path.exists(os.path.join(args.dir, name)):
            os.remove(os.path.join(args.dir, name))
    config = {
        "domain": "%s:%d" % (args.host, args.port),
        "support_basic_auth": True,
        "auth_api": {
            "class": "opentaxii.auth.sqldb.SQLDatabaseAPI",
            "parameters": {
                "db_connection": "sqlite:///%s/auth.db" % args.dir, "create_tables": True, "secret": uuid.uuid4().hex,
            },
        },
        "taxii1": None,
        "taxii2": {
            "title": "OpenTAXII test peer",
            "max_content_length": 9765625,
            "public_discovery": False,
            "allow_custom_properties": True,
            "persistence_api": {
                "class": "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI",
                "parameters": {"db_connection": "sqlite:///%s/data.db" % args.dir, "create_tables": True},
            },
        },
    }
    path = args.dir + "/config.yml"
    with open(path, "w", encoding="utf-8") as out:
        json.dump(config, out)
    os.environ["OPENTAXII_CONFIG"] = path

    from opentaxii.http import app
    from werkzeug.serving import run_simple

    text_ids()
    with app.app_context():
        fill(app, args)
    tls = (args.dir + "/server.pem", args.dir + "/server.key") if args.tls else None
    run_simple(args.host, args.port, app, threaded=True, ssl_context=tls)


if __name__ == "__main__":
    main()
